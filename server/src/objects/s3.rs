//! Client of an S3-compatible store. HTTPS certificates are checked against the system's trust
//! store. Over plain HTTP an eavesdropper can read objects, but cannot make requests: they are
//! signed.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use hmac::{HmacReset, KeyInit as _, Mac as _};
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
        CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, HttpClient, HttpConnector,
        HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
        HttpService, Signer, SigningAlgorithm,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

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
        .with_crypto_provider(Arc::new(Crypto))
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

/// The cryptography of requests that are signed (AWS Signature Version 4): what the rest of the
/// program uses.
#[derive(Debug)]
struct Crypto;

impl CryptoProvider for Crypto {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                Ok(Box::new(Hashing { state: Sha256::new(), done: Vec::new() }))
            }
            _ => Err(unsupported()),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let state = HmacReset::<Sha256>::new_from_slice(secret)
                    .map_err(|error| Error::Generic { store: "S3", source: Box::new(error) })?;
                Ok(Box::new(Keyed { state, done: Vec::new() }))
            }
            _ => Err(unsupported()),
        }
    }

    fn sign(&self, _: SigningAlgorithm, _: &[u8]) -> Result<Box<dyn Signer>> {
        Err(unsupported())
    }
}

fn unsupported() -> Error {
    Error::NotSupported { source: "S3 is signed with SHA-256".into() }
}

struct Hashing {
    state: Sha256,
    done: Vec<u8>,
}

impl DigestContext for Hashing {
    fn update(&mut self, data: &[u8]) {
        self.state.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.done = self.state.finalize_reset().to_vec();
        Ok(&self.done)
    }
}

struct Keyed {
    state: HmacReset<Sha256>,
    done: Vec<u8>,
}

impl HmacContext for Keyed {
    fn update(&mut self, data: &[u8]) {
        self.state.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.done = self.state.finalize_reset().into_bytes().to_vec();
        Ok(&self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 §4.3 and the first example of FIPS 180-4.
    #[test]
    fn hashes_are_those_that_everybody_computes() {
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .flat_map(|byte| format!("{byte:02x}").into_bytes())
                .map(char::from)
                .collect::<String>()
        };
        let mut hmac = Crypto.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        hmac.update(b"what do ya want ");
        hmac.update(b"for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(hmac.finish().unwrap()), expected);
        let mut digest = Crypto.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"abc");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(digest.finish().unwrap()), expected);
    }
}
