//! Sources of settings: the environment, then the file `.env`.

use std::{collections::BTreeMap, fmt, io, path::Path};

use super::settings::PREFIX;

/// Source of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The environment.
    Environment,
    /// The file `.env` in the working folder.
    DotEnv,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::DotEnv => ".env",
        })
    }
}

/// The given settings by name without prefix. Empty values count as not given.
#[derive(Default)]
pub struct Sources {
    values: BTreeMap<String, (String, Source)>,
    leptos_addr: Option<String>,
    is_watched: bool,
}

impl Sources {
    /// Reads the environment and `.env`, if it exists.
    ///
    /// # Errors
    ///
    /// A message if `.env` cannot be read.
    pub fn of_process(folder: &Path) -> Result<Self, String> {
        let from_file = match std::fs::read(folder.join(".env")) {
            Ok(bytes) => read_dotenv(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(told(&dotenvy::Error::Io(error))),
        };
        // Names that are not UTF-8 are not settings; values that are not are read with replacement
        // characters.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        Ok(Self::new(environment, from_file))
    }

    /// Creates sources from given values. The environment overrides the file.
    pub fn new(
        environment: impl IntoIterator<Item = (String, String)>,
        file: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut sources = Self::default();
        for (values, source) in [
            (file.into_iter().collect::<Vec<_>>(), Source::DotEnv),
            (environment.into_iter().collect(), Source::Environment),
        ] {
            for (name, value) in values {
                if value.trim().is_empty() {
                    continue;
                }
                if let Some(name) = name.strip_prefix(PREFIX) {
                    sources.values.insert(name.to_owned(), (value, source));
                } else if source == Source::Environment {
                    match name.as_str() {
                        "LEPTOS_SITE_ADDR" => sources.leptos_addr = Some(value),
                        "LEPTOS_WATCH" => sources.is_watched = true,
                        _ => {}
                    }
                }
            }
        }
        sources
    }

    /// Returns the value of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(&str, Source)> {
        self.values.get(name).map(|(value, source)| (value.as_str(), *source))
    }

    /// Returns the given names.
    pub fn names(&self) -> impl Iterator<Item = (&str, Source)> {
        self.values.iter().map(|(name, (_, source))| (name.as_str(), *source))
    }

    /// Returns whether the program was started by `cargo leptos watch`.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Returns the address that cargo-leptos expects.
    #[must_use]
    pub fn leptos_addr(&self) -> Option<&str> {
        self.leptos_addr.as_deref()
    }
}

/// Byte order mark of UTF-8, which some editors put at the beginning of a file.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// Byte order marks of UTF-16; those of UTF-32 begin or end like them.
const UTF16_MARKS: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"];

/// Reads the content of `.env`.
fn read_dotenv(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    // UTF-16 text has zero bytes; `.env` in UTF-8 has none.
    if bytes.contains(&0) || UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(
            ".env cannot be read: it is UTF-16 or no text at all; save it as UTF-8".to_owned()
        );
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err(".env cannot be read: it is not UTF-8; save it as UTF-8".to_owned());
    }
    dotenvy::from_read_iter(bytes).collect::<Result<_, _>>().map_err(|error| told(&error))
}

/// Describes the error without the line, which may contain a secret.
fn told(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(_, position) => {
            format!(".env cannot be read: a line is not NAME=value (at its character {position})")
        }
        other => format!(".env cannot be read: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# comment\nGATEHOUSE_LOG=warn\nGATEHOUSE_JWT_ISSUER=\"a b\"\n";

    #[test]
    fn read_dotenv_with_byte_order_mark_reads_every_line() {
        let plain = read_dotenv(TEXT.as_bytes()).unwrap();
        assert_eq!(plain.len(), 2);
        assert_eq!(read_dotenv(format!("\u{feff}{TEXT}").as_bytes()).unwrap(), plain);
        let without_comment = "\u{feff}GATEHOUSE_LOG=warn";
        assert_eq!(
            read_dotenv(without_comment.as_bytes()).unwrap(),
            [("GATEHOUSE_LOG".to_owned(), "warn".to_owned())]
        );
        assert_eq!(read_dotenv(UTF8_MARK).unwrap(), []);
    }

    #[test]
    fn read_dotenv_in_another_encoding_says_how_to_save_it() {
        let little: Vec<_> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<_> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let latin = b"GATEHOUSE_JWT_ISSUER=Z\xfcrich\n".to_vec();
        for bytes in [
            [b"\xff\xfe".to_vec(), little.clone()].concat(),
            [b"\xfe\xff".to_vec(), big.clone()].concat(),
            b"\xff\xfe".to_vec(),
            little,
            big,
            latin,
        ] {
            let error = read_dotenv(&bytes).unwrap_err();
            assert!(
                error.starts_with(".env cannot be read") && error.ends_with("save it as UTF-8"),
                "{error}"
            );
        }
    }
}
