//! Where settings come from: the environment, then the file `.env`.

use std::{collections::BTreeMap, fmt, path::Path};

use super::PREFIX;

/// Where a setting's value was found.
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

/// All settings that were given, by their names without the prefix. An empty value counts as none.
#[derive(Default)]
pub struct Sources {
    values: BTreeMap<String, (String, Source)>,
    leptos_addr: Option<String>,
}

impl Sources {
    /// The program's environment, and `.env` where there is one.
    ///
    /// # Errors
    ///
    /// What is wrong with `.env`, for a person.
    pub fn of_process(folder: &Path) -> Result<Self, String> {
        let file = folder.join(".env");
        let from_file = match dotenvy::from_path_iter(&file) {
            Ok(lines) => lines.collect::<Result<Vec<_>, _>>().map_err(|error| told(&error))?,
            Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(told(&error)),
        };
        // A name or a value that is no text is none of ours: what begins with the prefix is told as missing then.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        Ok(Self::new(environment, from_file))
    }

    /// Given values: those of the environment win.
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
                } else if name == "LEPTOS_SITE_ADDR" && source == Source::Environment {
                    sources.leptos_addr = Some(value);
                }
            }
        }
        sources
    }

    /// A setting's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(&str, Source)> {
        self.values.get(name).map(|(value, source)| (value.as_str(), *source))
    }

    /// The names that were given.
    pub fn names(&self) -> impl Iterator<Item = (&str, Source)> {
        self.values.iter().map(|(name, (_, source))| (name.as_str(), *source))
    }

    /// Where cargo-leptos expects the program to serve.
    #[must_use]
    pub fn leptos_addr(&self) -> Option<&str> {
        self.leptos_addr.as_deref()
    }
}

/// What is wrong with the file. The line itself is not shown: it may hold a secret.
fn told(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(_, position) => {
            format!(".env cannot be read: a line is not NAME=value (at its character {position})")
        }
        other => format!(".env cannot be read: {other}"),
    }
}
