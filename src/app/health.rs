//! Asks a server for its health over TLS, for `siskin healthcheck`. Plain ones are asked without any of this.

use crate::cli::HttpsAsk;
use crate::client::{
    Client, ClientSettings, Redirects, Request, Route, Timeouts, Trust, TrustSettings, Url,
};
use crate::rt;

/// More than any answer to such a question has.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The status of the answer, or why there is none.
pub fn https_status(ask: &HttpsAsk<'_>) -> Result<u16, String> {
    let url = Url::parse(ask.url).map_err(|error| error.to_string())?;
    rt::run(async {
        let trust = match ask.is_own {
            true => Trust::new(TrustSettings {
                insecure: true,
                ..TrustSettings::default()
            })
            .map_err(|error| error.to_string())?,
            false => Trust::standard(),
        };
        let route = Route {
            timeouts: Timeouts {
                connect: ask.timeout,
                first_byte: ask.timeout,
                total: ask.timeout,
            },
            body_bytes_max: BODY_BYTES_MAX,
            redirects: Redirects::Refuse,
            trust,
            ..Route::default()
        };
        let request = Request::get(url).header("Host", ask.host);
        let client = Client::new(ClientSettings::default());
        let answer = client
            .send(request, &route)
            .await
            .map_err(|error| error.to_string())?;
        Ok(answer.status)
    })
}
