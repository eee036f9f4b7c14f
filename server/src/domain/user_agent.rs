//! Names of browsers and systems in user agents, which help users to tell their sessions apart.
//! They prove nothing: a client may send any user agent.

/// Marks of browsers and their names. Most user agents contain the marks of others, too: the first
/// match counts.
const BROWSERS: [(&str, &str); 22] = [
    ("MicroMessenger/", "WeChat"),
    ("AlipayClient/", "Alipay"),
    ("QQBrowser/", "QQ Browser"),
    ("UCBrowser/", "UC Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("OPR/", "Opera"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
];

/// Marks of systems and their names; the first match counts.
const SYSTEMS: [(&str, &str); 11] = [
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

/// Returns the name of a known browser.
#[must_use]
pub fn browser(user_agent: &str) -> Option<&'static str> {
    first(&BROWSERS, user_agent)
}

/// Returns the name of a known system.
#[must_use]
pub fn system(user_agent: &str) -> Option<&'static str> {
    first(&SYSTEMS, user_agent)
}

fn first(marks: &[(&str, &'static str)], user_agent: &str) -> Option<&'static str> {
    marks.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_and_system_of_user_agents_are_recognized() {
        const CHROME: &str =
            "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
        for (user_agent, expected) in [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME}"), (Some("Chrome"), Some("Windows"))),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/141.0.0.0"),
                (Some("Edge"), Some("Windows")),
            ),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME}"), (Some("Chrome"), Some("ChromeOS"))),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {CHROME} OPR/90.0.0.0"), (Some("Opera"), Some("Android"))),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.6 Mobile/15E148 Safari/604.1"
                    .to_owned(),
                (Some("Safari"), Some("iOS")),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/26.0 Safari/605.1.15"
                    .to_owned(),
                (Some("Safari"), Some("macOS")),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Mobile/15E148 MicroMessenger/8.0.56 NetType/WIFI Language/zh_CN"
                    .to_owned(),
                (Some("WeChat"), Some("iOS")),
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(),
                (Some("Firefox"), Some("Linux")),
            ),
            ("curl/8.5.0".to_owned(), (Some("curl"), None)),
            ("<script>".to_owned(), (None, None)),
            (String::new(), (None, None)),
        ] {
            assert_eq!((browser(&user_agent), system(&user_agent)), expected, "{user_agent}");
        }
    }
}
