use super::*;
use crate::tokens::algorithm::Algorithm;
use secrecy::ExposeSecret as _;

fn sources(values: &[(&str, &str)]) -> Sources {
    Sources::new(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())), [])
}

fn error(name: &str, value: &str) -> String {
    let sources = sources(&[(name, value)]);
    Config::read(&sources).expect_err("refused").to_string()
}

#[test]
fn read_without_settings_uses_defaults() {
    let config = Config::read(&sources(&[])).unwrap();
    assert_eq!(config.addr, "127.0.0.1:3000".parse().unwrap());
    assert_eq!(config.database_url, "sqlite://data/gatehouse.sqlite");
    assert_eq!(config.lifetimes.access, 900);
    assert_eq!(config.password_min, 8);
    assert!(config.rotates);
    let limits = config.limits.unwrap();
    let of = |times, seconds| Quota { times, seconds };
    assert_eq!((limits.login_account, limits.login_address), (of(10, 900), of(100, 900)));
    assert_eq!((limits.registration, limits.refresh), (of(60, 600), of(60, 60)));
    assert_eq!((limits.changes_session, limits.changes_account), (of(120, 60), of(600, 60)));
    assert!(config.jwt_secret.is_none());
    assert_eq!(config.jwt_algorithm, Algorithm::Hs256);
}

#[test]
fn read_with_empty_values_uses_defaults() {
    let config = Config::read(&sources(&[("GATEHOUSE_ADDR", ""), ("GATEHOUSE_LOG", " ")])).unwrap();
    assert_eq!(config.addr.port(), 3000);
    assert_eq!(config.log, "info");
}

#[test]
fn read_prefers_environment_to_file() {
    let of = |value: &str| [("GATEHOUSE_PASSWORD_MIN_LENGTH".to_owned(), value.to_owned())];
    assert_eq!(Config::read(&Sources::new(of("10"), of("12"))).unwrap().password_min, 10);
    assert_eq!(Config::read(&Sources::new([], of("12"))).unwrap().password_min, 12);
    assert_eq!(Config::read(&Sources::new(of(""), of("12"))).unwrap().password_min, 12);
}

#[test]
fn read_uses_leptos_address_unless_addr_is_set() {
    let leptos = ("LEPTOS_SITE_ADDR", "127.0.0.1:4000");
    assert_eq!(Config::read(&sources(&[leptos])).unwrap().addr.port(), 4000);
    assert_eq!(
        Config::read(&sources(&[leptos, ("GATEHOUSE_ADDR", "[::1]:5000")])).unwrap().addr.port(),
        5000
    );
    assert!(error("LEPTOS_SITE_ADDR", "nowhere").starts_with("LEPTOS_SITE_ADDR: "));
}

#[test]
fn read_with_unknown_name_fails_and_suggests_nearest() {
    let message = error("GATEHOUSE_ACCESS_TOKEN_SECOND", "5");
    assert!(message.contains("Did you mean GATEHOUSE_ACCESS_TOKEN_SECONDS?"), "{message}");
    assert!(error("GATEHOUSE_DATADIR", "x").contains("GATEHOUSE_DATA_DIR?"));
}

#[test]
fn read_with_several_mistakes_reports_all() {
    let sources = sources(&[
        ("GATEHOUSE_ADDR", "somewhere"),
        ("GATEHOUSE_ACCESS_TOKEN_SECONDS", "0"),
        ("GATEHOUSE_REFRESH_TOKEN_SECONDS", "soon"),
        ("GATEHOUSE_REFRESH_ROTATION", "yes"),
        ("GATEHOUSE_PASSWORD_MIN_LENGTH", "5"),
        ("GATEHOUSE_LOG_FORMAT", "xml"),
        ("GATEHOUSE_LOG", "x=y=z"),
        ("GATEHOUSE_JWT_ALGORITHM", "none"),
        ("GATEHOUSE_WHATEVER", "1"),
    ]);
    let message = Config::read(&sources).unwrap_err().to_string();
    assert_eq!(message.lines().count(), 9, "{message}");
}

#[test]
fn read_with_weak_or_known_secret_fails_without_showing_it() {
    for secret in [
        "secret",
        "exactly-31-bytes-are-not-enough",
        "default-super-secret-key-for-dev",
        "Default-Super-Secret-Key-For-Dev",
        &"ab".repeat(40),
    ] {
        let message = error("GATEHOUSE_JWT_SECRET", secret);
        assert!(message.contains("openssl rand"), "{message}");
        assert!(!message.contains(secret), "{message}");
    }
    let config =
        Config::read(&sources(&[("GATEHOUSE_JWT_SECRET", "exactly 32 bytes are just enough")]))
            .unwrap();
    assert_eq!(config.jwt_secret.as_ref().unwrap().expose_secret().len(), 32);
    assert!(!format!("{config:?}").contains("just enough"));
}

#[test]
fn read_accepts_two_algorithms_and_a_secret_for_hs256_only() {
    let algorithm = |name: &str| {
        Config::read(&sources(&[("GATEHOUSE_JWT_ALGORITHM", name)])).unwrap().jwt_algorithm
    };
    assert_eq!((algorithm("HS256"), algorithm(" EdDSA ")), (Algorithm::Hs256, Algorithm::EdDsa));
    for name in ["eddsa", "Ed25519", "HS512", "RS256", "none"] {
        let message = error("GATEHOUSE_JWT_ALGORITHM", name);
        assert!(message.contains("HS256") && message.contains("EdDSA"), "{message}");
    }
    let secret = ("GATEHOUSE_JWT_SECRET", "a secret that has thirty-two bytes or more");
    assert!(Config::read(&sources(&[secret, ("GATEHOUSE_JWT_ALGORITHM", "HS256")])).is_ok());
    let both = Config::read(&sources(&[secret, ("GATEHOUSE_JWT_ALGORITHM", "EdDSA")]))
        .unwrap_err()
        .to_string();
    assert!(
        both.contains("GATEHOUSE_JWT_ALGORITHM") && both.contains("GATEHOUSE_JWT_SECRET"),
        "{both}"
    );
    assert!(!both.contains("thirty-two"), "{both}");
}

#[test]
fn read_accepts_origins_as_browsers_serialize_them() {
    let config = Config::read(&sources(&[(
        "GATEHOUSE_ALLOWED_ORIGINS",
        "https://a.example, http://localhost:5173,",
    )]));
    assert_eq!(config.unwrap().allowed_origins, ["https://a.example", "http://localhost:5173"]);
    for origin in [
        "*",
        "a.example",
        "https://a.example/",
        "https://A.example",
        "ftp://a.example",
        "https://u@a.example",
    ] {
        assert!(error("GATEHOUSE_ALLOWED_ORIGINS", origin).contains("is no origin"), "{origin}");
    }
}

#[test]
fn read_accepts_site_name_and_links_and_rejects_others_with_example() {
    let site = Config::read(&sources(&[])).unwrap().site;
    assert_eq!(site, SiteInfo::default());
    let values = [
        ("GATEHOUSE_SITE_NAME", " Tom & Ann "),
        ("GATEHOUSE_PUBLIC_URL", "https://accounts.example"),
        ("GATEHOUSE_PRIVACY_URL", "https://example.com/privacy?a=1#b"),
        ("GATEHOUSE_TERMS_URL", "https://[::1]:8443/terms"),
        ("GATEHOUSE_SUPPORT_URL", "mailto:help@example.com?subject=Login"),
    ];
    let site = Config::read(&sources(&values)).unwrap().site;
    assert_eq!(site.name, "Tom & Ann");
    assert_eq!(site.support_url.as_deref(), Some("mailto:help@example.com?subject=Login"));
    for link in [
        "http://example.com",
        "javascript:alert(1)",
        "example.com/privacy",
        "https://",
        "https://a b",
        "https://example.com/\"><script>",
        "mailto:",
        "mailto:help",
        "//example.com",
    ] {
        let message = error("GATEHOUSE_SUPPORT_URL", link);
        assert!(message.contains("is no link such as https://"), "{link}: {message}");
    }
    assert!(error("GATEHOUSE_PUBLIC_URL", "https://a.example/x").contains("is no origin"));
    assert!(error("GATEHOUSE_SITE_NAME", "a\nb").contains("is no name"));
    let long = error("GATEHOUSE_SITE_NAME", &"x".repeat(41));
    assert!(long.contains("it has 41 characters and can have 40"), "{long}");
}

#[test]
fn read_of_rate_limits_returns_them_or_none_if_off() {
    let config = Config::read(&sources(&[
        ("GATEHOUSE_LOGIN_FAILURES_PER_ACCOUNT", "3"),
        ("GATEHOUSE_LOGIN_FAILURES_SECONDS", "60"),
        ("GATEHOUSE_REFRESHES_PER_SESSION", "9"),
    ]));
    let limits = config.unwrap().limits.unwrap();
    assert_eq!(limits.login_account, Quota { times: 3, seconds: 60 });
    assert_eq!(limits.login_address, Quota { times: 100, seconds: 60 });
    assert_eq!(limits.refresh, Quota { times: 9, seconds: 60 });
    let off =
        |more: (&str, &str)| Config::read(&sources(&[("GATEHOUSE_RATE_LIMITS", "off"), more]));
    assert!(off(("GATEHOUSE_LOG", "info")).unwrap().limits.is_none());
    assert!(off(("GATEHOUSE_LOGIN_FAILURES_SECONDS", "0")).is_err());
    assert!(error("GATEHOUSE_REGISTRATIONS_PER_ADDRESS", "0").contains("whole number of times"));
}

#[test]
fn read_accepts_addresses_and_networks_as_proxies() {
    let config =
        Config::read(&sources(&[("GATEHOUSE_TRUSTED_PROXIES", "10.0.0.0/8, ::1,")])).unwrap();
    assert_eq!(config.trusted_proxies.len(), 2);
    for text in ["proxy.example", "10.0.0.1/8", "*"] {
        assert!(
            error("GATEHOUSE_TRUSTED_PROXIES", text).contains("not an IP address or network"),
            "{text}"
        );
    }
}

#[test]
fn describe_shows_sources_and_masks_secrets() {
    let secret = "a secret that has thirty-two bytes or more";
    let text = describe(&Sources::new(
        [("GATEHOUSE_JWT_SECRET".to_owned(), secret.to_owned())],
        [
            ("GATEHOUSE_LOG".to_owned(), "debug".to_owned()),
            ("GATEHOUSE_DATABASE_URL".to_owned(), "postgres://gate:geheim@db/x".to_owned()),
        ],
    ));
    assert!(text.contains("GATEHOUSE_JWT_SECRET = (set)\n    from: environment"), "{text}");
    assert!(text.contains("GATEHOUSE_LOG = debug\n    from: .env"), "{text}");
    assert!(text.contains("GATEHOUSE_ADDR = 127.0.0.1:3000\n    from: default"), "{text}");
    assert!(!text.contains(secret) && !text.contains("geheim"), "{text}");
}

#[test]
fn read_of_incomplete_s3_settings_fails() {
    assert!(Config::read(&sources(&[])).unwrap().s3.is_none());
    let endpoint = ("GATEHOUSE_S3_ENDPOINT", "http://127.0.0.1:9000/");
    let (id, secret) = (
        ("GATEHOUSE_S3_ACCESS_KEY_ID", "gate"),
        ("GATEHOUSE_S3_SECRET_ACCESS_KEY", "a secret key"),
    );
    let place = Config::read(&sources(&[endpoint, id, secret])).unwrap().s3.unwrap();
    assert_eq!(
        (&*place.endpoint, &*place.bucket, &*place.region),
        ("http://127.0.0.1:9000", "gatehouse", "us-east-1")
    );
    assert!(!format!("{place:?}").contains("a secret key"));
    assert!(!describe(&sources(&[endpoint, id, secret])).contains("a secret key"));
    let message = Config::read(&sources(&[endpoint, id])).unwrap_err().to_string();
    assert!(message.starts_with("GATEHOUSE_S3_SECRET_ACCESS_KEY: "), "{message}");
    for unusable in ["https://s3.amazonaws.com", "127.0.0.1:9000", "http://", "http://host/path"] {
        assert!(error("GATEHOUSE_S3_ENDPOINT", unusable).contains("S3_ENDPOINT"), "{unusable}");
    }
}

#[test]
fn deployment_files_name_existing_settings_only() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let is_name =
        |character: char| character.is_ascii_uppercase() || "_0123456789".contains(character);
    // A service link of Kubernetes, and placeholders for groups of settings.
    let others = ["PORT", "S3_", ""];
    for file in [
        "Containerfile",
        "compose.yaml",
        "compose.sqlite.yaml",
        "docs/deployment.md",
        "docs/metrics.md",
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let mut found = 0;
        for rest in text.split(PREFIX).skip(1) {
            let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
            let name = &rest[..end];
            let is_setting = settings::SETTINGS.iter().any(|setting| setting.name == name);
            assert!(is_setting || others.contains(&name), "{file}: {PREFIX}{name}");
            found += 1;
        }
        assert!(found > 0 || file == "compose.sqlite.yaml", "{file}");
    }
}

#[test]
fn read_with_metrics_address_of_the_server_fails() {
    let both = |addr: &str, metrics: &str| {
        Config::read(&sources(&[("GATEHOUSE_ADDR", addr), ("GATEHOUSE_METRICS_ADDR", metrics)]))
    };
    for (addr, metrics) in [
        ("127.0.0.1:3000", "127.0.0.1:3000"),
        ("0.0.0.0:3000", "127.0.0.1:3000"),
        ("127.0.0.1:3000", "[::]:3000"),
    ] {
        let message = both(addr, metrics).unwrap_err().to_string();
        assert!(message.starts_with("GATEHOUSE_METRICS_ADDR: "), "{message}");
    }
    for (addr, metrics) in [
        ("127.0.0.1:3000", "127.0.0.1:9100"),
        ("127.0.0.1:3000", "127.0.0.2:3000"),
        ("127.0.0.1:0", "127.0.0.1:0"),
    ] {
        let config = both(addr, metrics).unwrap();
        assert_eq!(config.metrics_addr.unwrap().to_string(), metrics);
    }
    assert!(Config::read(&sources(&[])).unwrap().metrics_addr.is_none());
}

#[test]
fn configuration_page_lists_every_setting() {
    const BEGIN: &str = "<!-- settings: generated from server/src/config/settings.rs -->\n";
    const END: &str = "<!-- end of settings -->";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", markdown_table())).unwrap();
        return;
    }
    assert_eq!(
        table,
        markdown_table(),
        "run: UPDATE_DOCS=1 cargo test -p server --lib configuration_page"
    );
}

#[test]
fn read_with_mail_makes_links_of_the_public_url_or_the_loopback_address() {
    let url = ("GATEHOUSE_MAIL_URL", "smtp://user:hunter2@mail.example:587");
    let from = ("GATEHOUSE_MAIL_FROM", "Gatehouse <no-reply@accounts.example>");
    let elsewhere = ("GATEHOUSE_ADDR", "0.0.0.0:80");
    let public = ("GATEHOUSE_PUBLIC_URL", "https://accounts.example");
    let links = |settings: &[(&str, &str)]| {
        let config = Config::read(&sources(settings)).unwrap();
        config.mail.map(|mail| mail.site.url)
    };
    assert_eq!(links(&[]), None);
    assert_eq!(links(&[from]), None);
    let local = "http://127.0.0.1:3000";
    for transport in ["folder:mail", "smtp://127.0.0.1:2525"] {
        let here = ("GATEHOUSE_MAIL_URL", transport);
        assert_eq!(links(&[here, from]).as_deref(), Some(local), "{transport}");
    }
    for settings in [&[url, from, public][..], &[url, from, elsewhere, public]] {
        assert_eq!(links(settings).as_deref(), Some("https://accounts.example"));
    }
    let here = ("GATEHOUSE_MAIL_URL", "folder:mail");
    let proxy = ("GATEHOUSE_TRUSTED_PROXIES", "127.0.0.1");
    for (settings, missing) in [
        (&[url][..], "GATEHOUSE_MAIL_FROM: it is needed"),
        (&[url, from], "GATEHOUSE_PUBLIC_URL: it is needed"),
        (&[here, from, proxy], "GATEHOUSE_PUBLIC_URL: it is needed"),
        (&[here, from, elsewhere], "GATEHOUSE_PUBLIC_URL: it is needed"),
        (&[("GATEHOUSE_MAIL_URL", "mail.example"), from], "GATEHOUSE_MAIL_URL: it is smtp://"),
        (&[url, ("GATEHOUSE_MAIL_FROM", "Gatehouse")], "GATEHOUSE_MAIL_FROM: "),
    ] {
        let message = Config::read(&sources(settings)).expect_err("refused").to_string();
        assert!(message.contains(missing) && !message.contains("hunter2"), "{message}");
    }
    let shown = describe(&sources(&[url, from]));
    assert!(shown.contains("smtp://…@mail.example:587") && !shown.contains("hunter2"), "{shown}");
    let config = Config::read(&sources(&[url, from, public])).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
