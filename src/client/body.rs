//! The body of a response, within its limit.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::error::ClientError;
use super::url::Origin;

pub(super) async fn read(
    mut body: Incoming,
    limit: usize,
    origin: &Origin,
) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ClientError::Truncated {
            origin: origin.clone(),
            received: bytes.len(),
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            return Err(ClientError::TooLarge {
                origin: origin.clone(),
                limit,
            });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
