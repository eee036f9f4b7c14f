//! Client of an S3-compatible store. HTTPS certificates are checked against the system's trust
//! store. Over plain HTTP an eavesdropper can read objects, but cannot make requests: they are
//! signed.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Connector},
    rt::TokioExecutor,
};
use object_store::{
    ClientOptions, Error, ObjectStore, Result, RetryConfig,
    aws::AmazonS3Builder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
        HttpResponse, HttpResponseBody, HttpService,
    },
};
use secrecy::{ExposeSecret as _, SecretString};

/// Time limit of a request, and of its retries together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Settings of an S3-compatible store.
#[derive(Clone, Debug)]
pub struct S3 {
    /// URL: `https://host` or `http://host:port`.
    pub endpoint: String,
    /// Existing bucket.
    pub bucket: String,
    /// Region.
    pub region: String,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key; signs requests.
    pub secret_access_key: SecretString,
}

/// Creates the client.
pub(super) fn open(place: &S3) -> Result<Arc<dyn ObjectStore>> {
    let store = AmazonS3Builder::new()
        .with_endpoint(place.endpoint.trim_end_matches('/'))
        .with_allow_http(true)
        .with_bucket_name(&place.bucket)
        .with_region(&place.region)
        .with_access_key_id(&place.access_key_id)
        .with_secret_access_key(place.secret_access_key.expose_secret())
        .with_retry(RetryConfig {
            max_retries: 2,
            retry_timeout: REQUEST_TIMEOUT,
            ..RetryConfig::default()
        })
        .with_http_connector(HyperConnector)
        .build()?;
    Ok(Arc::new(store))
}

/// Creates HTTP clients on hyper and rustls.
#[derive(Debug)]
struct HyperConnector;

impl HttpConnector for HyperConnector {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
        let generic = |source| Error::Generic { store: "S3", source };
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| generic(Box::new(error)))?;
        let connector = tls.https_or_http().enable_http1().build();
        Ok(HttpClient::new(HyperClient(Client::builder(TokioExecutor::new()).build(connector))))
    }
}

struct HyperClient(Client<HttpsConnector<Connector>, HttpRequestBody>);

impl fmt::Debug for HyperClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an HTTP client")
    }
}

#[async_trait]
impl HttpService for HyperClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, self.0.request(request)).await;
        let answer = answer.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?.map_err(
            |error| {
                let kind = if error.is_connect() {
                    HttpErrorKind::Connect
                } else {
                    HttpErrorKind::Request
                };
                HttpError::new(kind, error)
            },
        )?;
        let broken = |error| HttpError::new(HttpErrorKind::Interrupted, error);
        Ok(answer.map(|body| HttpResponseBody::new(body.map_err(broken))))
    }
}
