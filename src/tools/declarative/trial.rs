//! A tool tried out: every request it sends and what comes back, as an operator may see it.
//!
//! A [`Recorder`] stands between the services and the client and keeps what passes. It is read by `siskin pack test`
//! alone; a server has none.

use std::cell::RefCell;
use std::rc::Rc;

use super::auth::AuthSpec;
use super::service::{Service, Upstream};
use super::words::masked;
use crate::client::{ClientError, Request, Response, Route};
use crate::tools::LocalFuture;

/// One request with what came of it, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The verb.
    pub method: String,
    /// Where it went.
    pub url: String,
    /// The headers that the pack sets, in order.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: String,
    /// The answer, or why there is none.
    pub answer: Result<Answer, String>,
}

/// What a service said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where redirects led, if they did.
    pub redirected_to: Option<String>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, inflated.
    pub body: String,
}

/// See the module.
pub struct Recorder {
    upstream: Rc<dyn Upstream>,
    seen: RefCell<Vec<(Request, Result<Response, String>)>>,
}

impl Recorder {
    /// Keeps what goes to `upstream`.
    pub fn new(upstream: Rc<dyn Upstream>) -> Recorder {
        Recorder {
            upstream,
            seen: RefCell::default(),
        }
    }

    /// What has passed so far on behalf of `service`, in order.
    pub fn exchanges(&self, service: &Service) -> Vec<Exchange> {
        let seen = self.seen.borrow();
        let mut secrets = service.secrets();
        // Sessions that have ended meanwhile are secrets too.
        if let AuthSpec::Login(login) = &service.spec.auth {
            for (_, answer) in &*seen {
                let Ok(response) = answer else { continue };
                let cookies = response.headers.values("set-cookie");
                secrets.extend(login.session(&response.body, &cookies).ok().flatten());
            }
        }
        let mask = Mask {
            secrets,
            auth: &service.spec.auth,
        };
        let shown = |(request, answer): &(Request, Result<Response, String>)| Exchange {
            method: request.method.to_string(),
            url: mask.url(request.url.as_str()),
            headers: mask.headers(
                request
                    .headers
                    .iter()
                    .map(|(name, value)| (&**name, &**value)),
            ),
            body: mask.body(&request.body),
            answer: match answer {
                Ok(response) => Ok(Answer {
                    status: response.status,
                    redirected_to: (response.url.as_str() != request.url.as_str())
                        .then(|| mask.url(response.url.as_str())),
                    headers: mask.headers(response.headers.iter()),
                    body: mask.body(&response.body),
                }),
                Err(text) => Err(mask.text(text)),
            },
        };
        seen.iter().map(shown).collect()
    }
}

impl Upstream for Recorder {
    fn send<'a>(
        &'a self,
        request: Request,
        route: &'a Route,
    ) -> LocalFuture<'a, Result<Response, ClientError>> {
        Box::pin(async move {
            let sent = request.clone();
            let answer = self.upstream.send(request, route).await;
            let kept = match &answer {
                Ok(response) => Ok(response.clone()),
                Err(error) => Err(error.to_string()),
            };
            self.seen.borrow_mut().push((sent, kept));
            answer
        })
    }
}

/// Takes secrets out.
struct Mask<'a> {
    secrets: Vec<String>,
    auth: &'a AuthSpec,
}

const STARS: &str = "***";

impl Mask<'_> {
    fn text(&self, text: &str) -> String {
        masked(text, self.secrets.iter().map(String::as_str))
    }

    fn url(&self, url: &str) -> String {
        let AuthSpec::Query { name, .. } = self.auth else {
            return self.text(url);
        };
        let Some((path, query)) = url.split_once('?') else {
            return self.text(url);
        };
        // Whole, however short it is.
        let begin = format!("{}=", super::request::encoded(name));
        let fields = query
            .split('&')
            .map(|field| match field.starts_with(&begin) {
                true => format!("{begin}{STARS}"),
                false => field.to_owned(),
            });
        self.text(&format!("{path}?{}", fields.collect::<Vec<_>>().join("&")))
    }

    fn headers<'h>(
        &self,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
    ) -> Vec<(String, String)> {
        headers
            .map(|(name, value)| (name.to_owned(), self.header(name, value)))
            .collect()
    }

    /// A header that holds a credential shows its scheme or its name at most: encoded as it may be, the secret is not
    /// found in it by its text.
    fn header(&self, name: &str, value: &str) -> String {
        let is_one_of = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let shown = self.text(value);
        let is_credential = is_one_of(&[
            "authorization",
            "proxy-authorization",
            "cookie",
            "set-cookie",
        ]) || self
            .auth
            .header()
            .is_some_and(|known| known.eq_ignore_ascii_case(name));
        if !is_credential || (shown != value && !is_one_of(&["cookie", "set-cookie"])) {
            return shown;
        }
        if let Some((scheme, _)) = value
            .split_once(' ')
            .filter(|_| is_one_of(&["authorization"]))
        {
            return format!("{scheme} {STARS}");
        }
        match value.split_once('=') {
            Some((name, _)) => format!("{name}={STARS}"),
            None => STARS.to_owned(),
        }
    }

    fn body(&self, body: &[u8]) -> String {
        match std::str::from_utf8(body) {
            Ok(text) if !text.contains('\0') => self.text(text),
            _ => format!("({} bytes that are no text)", body.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::template::Names;
    use super::super::template::Template;
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: &str) {
        let mut names = Names::of_options(Vec::new());
        names.may_name_token = true;
        let auth = AuthSpec::Header {
            name: "X-Key".into(),
            value: Template::parse("{token}", &names).unwrap(),
        };
        let mask = Mask {
            secrets: vec!["s3cret".to_owned()],
            auth: &auth,
        };
        assert_eq!(mask.header(name, value), expected, "{name}: {value}");
    }

    #[test]
    fn a_credential_shows_its_scheme_at_most() {
        check("authorization", "Bearer s3cret", "Bearer ***");
        check("Authorization", "Basic dTpzM2NyZXQ=", "Basic ***");
        check(
            "Authorization",
            "PVEAPIToken=root@pam!x=s3cret",
            "PVEAPIToken=root@pam!x=***",
        );
        check("x-key", "ab", "***");
        check("X-Key", "s3cret", "***");
        check("Set-Cookie", "SID=abc; Path=/", "SID=***");
        check("Cookie", "SID=s3cret; theme=dark", "SID=***");
        check("X-Other", "ab s3cret", "ab ***");
        check("Accept", "application/json", "application/json");
    }

    #[test]
    fn a_credential_in_the_query_is_masked_however_short() {
        let mut names = Names::of_options(Vec::new());
        names.may_name_token = true;
        let auth = AuthSpec::Query {
            name: "api key".into(),
            value: Template::parse("{token}", &names).unwrap(),
        };
        let mask = Mask {
            secrets: vec!["ab".to_owned()],
            auth: &auth,
        };
        let shown = mask.url("http://h/p?a=ab&api%20key=ab&b=1");
        assert_eq!(shown, "http://h/p?a=ab&api%20key=***&b=1");
        assert_eq!(mask.body(&[0xff, 0]), "(2 bytes that are no text)");
    }
}
