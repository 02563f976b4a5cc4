//! The answers of Prometheus' `query` and `query_range`, whose four result types become one: a list of items.
//!
//! ```text
//! vector  {metric, value: [t, "v"]}             → {metric, time, value}
//!         {metric, histogram: [t, {…}]}         → {metric, time, histogram: {count, sum, buckets}}
//! matrix  {metric, values: […], histograms: […]} as it is
//! scalar, string  [t, "v"]                      → {time, value}
//! ```
//! Source of the rule: Prometheus "HTTP API", "Expression query result formats".

use serde_json::{Map, Value};

use super::{DecodeError, object};

/// The envelope with its result as `items`.
pub(super) fn decode(mut envelope: Value) -> Result<Value, DecodeError> {
    let format = || DecodeError::Format {
        expected: "a query result of Prometheus: it lacks `data.resultType` or `data.result`",
    };
    let mut data = envelope
        .get_mut("data")
        .map(Value::take)
        .ok_or_else(format)?;
    let result = data.get_mut("result").map(Value::take).ok_or_else(format)?;
    let kind = data
        .get("resultType")
        .and_then(Value::as_str)
        .ok_or_else(format)?;
    let items = match (kind, result) {
        ("scalar" | "string", Value::Array(sample)) => {
            let mut item = Map::new();
            put_sample(&mut item, "value", sample);
            vec![Value::Object(item)]
        }
        ("vector", Value::Array(series)) => series.into_iter().map(instant).collect(),
        (_, Value::Array(series)) => series,
        (_, Value::Null) => Vec::new(),
        _ => return Err(format()),
    };
    let result_type = Value::from(kind);
    let mut texts = |name: &str| envelope.get_mut(name).map(Value::take);
    Ok(object(&mut [
        ("result_type", Some(result_type)),
        ("items", Some(items.into())),
        ("warnings", texts("warnings")),
        ("infos", texts("infos")),
    ]))
}

/// A series with one sample.
fn instant(mut series: Value) -> Value {
    if let Value::Object(members) = &mut series {
        for name in ["value", "histogram"] {
            match members.remove(name) {
                Some(Value::Array(sample)) => put_sample(members, name, sample),
                Some(other) => _ = members.insert(name.into(), other),
                None => (),
            }
        }
    }
    series
}

/// A pair of time and value as two members.
fn put_sample(members: &mut Map<String, Value>, name: &str, sample: Vec<Value>) {
    let mut sample = sample.into_iter();
    if let (Some(time), Some(value)) = (sample.next(), sample.next()) {
        members.insert("time".into(), time);
        members.insert(name.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(data: Value, expected: Value) {
        let decoded = decode(json!({"status": "success", "data": data})).unwrap();
        assert_eq!(decoded["items"], expected);
    }

    #[test]
    fn every_result_type() {
        // The samples of the documentation.
        check(
            json!({"resultType": "vector", "result": [
                {"metric": {"__name__": "up", "job": "prometheus", "instance": "localhost:9090"}, "value": [1435781451.781, "1"]},
                {"metric": {"__name__": "up", "job": "node", "instance": "localhost:9100"}, "value": [1435781451.781, "0"]},
            ]}),
            json!([
                {"metric": {"__name__": "up", "job": "prometheus", "instance": "localhost:9090"}, "time": 1435781451.781, "value": "1"},
                {"metric": {"__name__": "up", "job": "node", "instance": "localhost:9100"}, "time": 1435781451.781, "value": "0"},
            ]),
        );
        let matrix = json!([{"metric": {"job": "node"}, "values": [[1435781430.781, "0"], [1435781445.781, "NaN"]]}]);
        check(json!({"resultType": "matrix", "result": matrix}), matrix);
        check(
            json!({"resultType": "scalar", "result": [1435781451.781, "2"]}),
            json!([{"time": 1435781451.781, "value": "2"}]),
        );
        check(
            json!({"resultType": "string", "result": [1435781451.781, "foo"]}),
            json!([{"time": 1435781451.781, "value": "foo"}]),
        );
        check(
            json!({"resultType": "vector", "result": [
                {"metric": {}, "histogram": [1435781451.781, {"count": "60", "sum": "33", "buckets": [[0, "0.25", "0.5", "7"]]}]},
            ]}),
            json!([{"metric": {}, "time": 1435781451.781, "histogram": {"count": "60", "sum": "33", "buckets": [[0, "0.25", "0.5", "7"]]}}]),
        );
        check(json!({"resultType": "vector", "result": []}), json!([]));
    }

    #[test]
    fn warnings_are_kept() {
        let decoded = decode(json!({
            "status": "success",
            "data": {"resultType": "vector", "result": []},
            "warnings": ["partial"],
            "infos": ["metric might not be a counter"],
        }));
        let decoded = decoded.unwrap();
        assert_eq!(decoded["warnings"], json!(["partial"]));
        assert_eq!(decoded["infos"], json!(["metric might not be a counter"]));
        assert_eq!(decoded["result_type"], "vector");
    }

    #[test]
    fn what_is_no_query_result() {
        for other in [
            json!(null),
            json!([]),
            json!({"status": "success", "data": ["a", "b"]}),
            json!({"data": {"resultType": "vector"}}),
            json!({"data": {"result": []}}),
            json!({"data": {"resultType": "vector", "result": 1}}),
        ] {
            assert!(decode(other.clone()).is_err(), "{other}");
        }
    }
}
