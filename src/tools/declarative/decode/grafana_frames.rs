//! Grafana's data frames, the answer of `POST /api/ds/query`: columns become rows.
//!
//! ```text
//! results.A.frames[] {schema {name, fields [{name, type, labels, config}]}, data {values [[column], …], entities}}
//!     → {ref: "A", name, columns: ["time", "value{job=\"x\"}"], rows: [["2026-…Z", 1.5], …]}
//! results.B.error → errors.B
//! ```
//! Times become RFC 3339. NaN and the infinities, which JSON lacks, are null in `values` and named in `entities`; they come
//! back as texts.

use serde_json::{Map, Value};

use super::{DecodeError, object, rfc3339};

/// All frames of all queries.
pub(super) fn decode(mut answer: Value) -> Result<Value, DecodeError> {
    let results = match answer.get_mut("results").map(Value::take) {
        Some(Value::Object(results)) => results,
        _ => {
            return Err(DecodeError::Format {
                expected: "the answer of a data source query: it lacks `results`",
            });
        }
    };
    let mut items = Vec::new();
    let mut errors = Map::new();
    for (reference, mut result) in results {
        if let Some(error) = result
            .get_mut("error")
            .map(Value::take)
            .filter(|error| !error.is_null())
        {
            errors.insert(reference.clone(), error);
        }
        if let Some(Value::Array(frames)) = result.get_mut("frames").map(Value::take) {
            items.extend(
                frames
                    .into_iter()
                    .filter_map(|frame| table(&reference, frame)),
            );
        }
    }
    Ok(object(&mut [
        ("items", Some(items.into())),
        ("errors", Some(errors.into())),
    ]))
}

/// One frame as a table; `None` if it has no fields.
fn table(reference: &str, mut frame: Value) -> Option<Value> {
    let mut schema = frame.get_mut("schema")?.take();
    let Some(Value::Array(fields)) = schema.get_mut("fields").map(Value::take) else {
        return None;
    };
    let mut columns = match frame.pointer_mut("/data/values").map(Value::take) {
        Some(Value::Array(columns)) => columns,
        _ => Vec::new(),
    };
    let entities = frame.pointer_mut("/data/entities").map(Value::take);
    if let Some(Value::Array(entities)) = entities {
        for (column, entities) in columns.iter_mut().zip(&entities) {
            restore(column, entities);
        }
    }
    let mut cells: Vec<_> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let column = match columns.get_mut(at).map(Value::take) {
            Some(Value::Array(column)) => column,
            _ => Vec::new(),
        };
        cells.push((
            column.into_iter(),
            field.get("type").and_then(Value::as_str) == Some("time"),
        ));
    }
    let height = cells
        .iter()
        .map(|(column, _)| column.len())
        .max()
        .unwrap_or(0);
    let rows: Vec<Value> = (0..height)
        .map(|_| {
            cells
                .iter_mut()
                .map(|(column, is_time)| cell(column.next(), *is_time))
                .collect()
        })
        .collect();
    let columns: Vec<Value> = fields.iter().map(|field| title(field).into()).collect();
    let name = schema.get_mut("name").map(Value::take);
    Some(object(&mut [
        ("ref", Some(reference.into())),
        ("columns", Some(columns.into())),
        ("rows", Some(rows.into())),
        ("name", name.filter(|name| name.as_str() != Some(""))),
    ]))
}

fn cell(value: Option<Value>, is_time: bool) -> Value {
    let value = value.unwrap_or_default();
    match value.as_f64().filter(|_| is_time).and_then(rfc3339) {
        Some(time) => Value::String(time),
        None => value,
    }
}

/// What a column is called: its display name, or its name with its labels.
fn title(field: &Value) -> String {
    let config = |name: &str| {
        field
            .pointer(name)
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
    };
    if let Some(name) =
        config("/config/displayNameFromDS").or_else(|| config("/config/displayName"))
    {
        return name.to_owned();
    }
    let mut title = config("/name").unwrap_or_default().to_owned();
    if let Some(Value::Object(labels)) = field.get("labels")
        && !labels.is_empty()
    {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        title.push_str(&format!("{{{}}}", labels.join(",")));
    }
    title
}

/// Writes the numbers that JSON lacks into their places.
fn restore(column: &mut Value, entities: &Value) {
    let Value::Array(column) = column else { return };
    for (name, text) in [("NaN", "NaN"), ("Inf", "+Inf"), ("NegInf", "-Inf")] {
        let places = entities
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for place in places.filter_map(|place| usize::try_from(place.as_u64()?).ok()) {
            if let Some(value) = column.get_mut(place) {
                *value = text.into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_series_and_a_failed_query() {
        let answer = json!({"results": {
            "A": {"status": 200, "frames": [{
                "schema": {"refId": "A", "name": "up", "meta": {"type": "timeseries-multi"}, "fields": [
                    {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}, "config": {"interval": 15000}},
                    {"name": "Value", "type": "number", "labels": {"instance": "a:9090", "job": "x"}, "config": {}},
                ]},
                "data": {
                    "values": [[1644488152084_u64, 1644488212000_u64, 1644488272000_u64, 1644488332000_u64], [1, null, 3.5, null]],
                    "entities": [null, {"NaN": [1], "Inf": [], "NegInf": [3]}],
                },
            }]},
            "B": {"status": 400, "error": "parse error: unexpected end", "frames": []},
        }});
        assert_eq!(
            decode(answer).unwrap(),
            json!({
                "items": [{
                    "ref": "A",
                    "name": "up",
                    "columns": ["Time", "Value{instance=\"a:9090\",job=\"x\"}"],
                    "rows": [
                        ["2022-02-10T10:15:52.084Z", 1],
                        ["2022-02-10T10:16:52Z", "NaN"],
                        ["2022-02-10T10:17:52Z", 3.5],
                        ["2022-02-10T10:18:52Z", "-Inf"],
                    ],
                }],
                "errors": {"B": "parse error: unexpected end"},
            })
        );
    }

    #[test]
    fn display_names_and_ragged_columns() {
        let answer = json!({"results": {"A": {"frames": [
            {"schema": {"fields": [
                {"name": "host", "type": "string"},
                {"name": "x", "type": "number", "config": {"displayNameFromDS": "load"}},
                {"name": "gone", "type": "number"},
            ]}, "data": {"values": [["a", "b"], [1]]}},
            {"schema": {"fields": []}, "data": {"values": []}},
            {"schema": {}},
        ]}}});
        let decoded = decode(answer).unwrap();
        assert_eq!(
            decoded["items"],
            json!([
                {"ref": "A", "columns": ["host", "load", "gone"], "rows": [["a", 1, null], ["b", null, null]]},
                {"ref": "A", "columns": [], "rows": []},
            ])
        );
    }

    #[test]
    fn what_are_no_frames() {
        for other in [
            json!(null),
            json!({}),
            json!({"results": []}),
            json!({"message": "no"}),
        ] {
            assert!(decode(other.clone()).is_err(), "{other}");
        }
    }
}
