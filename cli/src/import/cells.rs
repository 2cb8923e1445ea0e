//! Cells of CSV, each of the type that its column's field has.

use std::collections::HashSet;

use csv::ByteRecord;
use serde_json::{Map, Value as Json};
use syncline::schema::{Field, Primitive};
use syncline::{Collection, Error, Result};

use super::source::BOM;

/// What the columns mean.
#[derive(Debug)]
pub struct Cells {
    fields: Vec<Field>,
}

impl Cells {
    /// Reads the line of field names.
    pub fn new(header: &ByteRecord, collection: &Collection) -> Result<Self> {
        let mut seen = HashSet::new();
        let fields = header.iter().enumerate().map(|(position, name)| {
            let name = if position == 0 { name.strip_prefix(BOM).unwrap_or(name) } else { name };
            let name = String::from_utf8_lossy(name);
            let complain = |message: &'static str| {
                let known: Vec<&str> =
                    collection.fields().iter().map(|field| &*field.name).collect();
                Error::invalid(message)
                    .with("line", 1)
                    .with("column", format_args!("{name:?}"))
                    .with("collection", collection.name())
                    .with("there are", known.join(", "))
            };
            let field = collection.resolve(name.trim()).ok_or_else(|| {
                complain("the first line of CSV names fields, and there is no such field")
            })?;
            match seen.insert(field.name.clone()) {
                true => Ok(field.clone()),
                false => Err(complain("the first line of CSV names a field twice")),
            }
        });
        Ok(Self { fields: fields.collect::<Result<_>>()? })
    }

    /// A row as the JSON of an object.
    pub fn object(&self, row: &ByteRecord) -> Result<Json> {
        if row.len() != self.fields.len() {
            return Err(Error::invalid(
                "the line has another number of columns than the first line",
            )
            .with("columns", row.len())
            .with("wanted", self.fields.len()));
        }
        let mut object = Map::new();
        for (field, cell) in self.fields.iter().zip(row) {
            let text = std::str::from_utf8(cell).map_err(|_| {
                Error::invalid("the text is not UTF-8; save the file as UTF-8")
                    .with("field", &field.name)
            })?;
            object.insert(field.name.to_string(), value(text, field)?);
        }
        Ok(object.into())
    }
}

/// A cell as JSON; what is of another type stays text, and is refused as such later.
fn value(text: &str, field: &Field) -> Result<Json> {
    let kind = field.kind.primitive();
    if text.is_empty() && (field.optional || kind != Primitive::Text) {
        return Ok(Json::Null);
    }
    let number = text.trim();
    let parsed = match kind {
        Primitive::Bool => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true.into()),
            "false" | "0" => Some(false.into()),
            _ => None,
        },
        Primitive::Int | Primitive::Timestamp => number.parse::<i64>().ok().map(Json::from),
        Primitive::Float => {
            number.parse::<f64>().ok().filter(|float| float.is_finite()).map(Json::from)
        }
        Primitive::Json => {
            return super::records::parse(text.as_bytes())
                .map_err(|error| error.with("field", &field.name));
        }
        Primitive::Bytes | Primitive::Text => None,
    };
    Ok(parsed.unwrap_or_else(|| Json::from(text)))
}
