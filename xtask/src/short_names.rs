//! Short names for what the module and its glue call each other: the long ones, with a hash each, are in both files.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::step::Result;

/// What binaryen calls the one module that everything is imported from now.
const MODULE: &str = "a";
/// What wasm-bindgen calls the one of its own functions.
const GLUE: &str = "./syncline_bg.js";

/// The glue, with the names that binaryen gave: `told` is what it says of them.
pub(crate) fn shortened(glue: &str, told: &str) -> Result<String> {
    renamed(glue, told).ok_or_else(|| "wasm-bindgen or binaryen write something new".to_owned())
}

fn renamed(glue: &str, told: &str) -> Option<String> {
    let told: Json = serde_json::from_str(told).ok()?;
    let (mut own, mut others) = (BTreeMap::new(), String::new());
    for import in told["imports"].as_array()? {
        let [from, name, short] = [0, 1, 2].map(|at| import[at].as_str());
        if from? == GLUE {
            let _ = own.insert(name?, short?);
        } else {
            let module = module_variable(glue, from?)?;
            others.push_str(&format!("{}: {module}.{}, ", short?, name?));
        }
    }
    let mut exports = BTreeMap::new();
    for export in told["exports"].as_array()? {
        let _ = exports.insert(export[0].as_str()?, export[1].as_str()?);
    }
    let glue = replaced(glue, "        ", ": function(", &own);
    let glue = replaced(&glue, "wasm.", "", &exports);
    // Behind the functions, the modules are listed.
    let begin =
        glue.find(&format!("    return {{\n        __proto__: null,\n        \"{GLUE}\""))?;
    let end = begin + glue[begin..].find("    };\n")?;
    let all = format!("    return {{ {MODULE}: {{ ...import0, {others}}} ");
    Some(format!("{}{all}{}", &glue[..begin], glue[end..].trim_start()))
}

/// The variable that holds a module of which the glue says `import * as variable from "module"`.
fn module_variable<'a>(glue: &'a str, module: &str) -> Option<&'a str> {
    let from = format!(" from \"{module}\"");
    let import =
        glue.lines().find(|line| line.starts_with("import * as ") && line.contains(&from))?;
    import.strip_prefix("import * as ")?.split(' ').next()
}

/// Replaces the names that stand between `before` and `behind`.
fn replaced(text: &str, before: &str, behind: &str, names: &BTreeMap<&str, &str>) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(before);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let short = names.get(name).filter(|_| rest.starts_with(behind));
        out.push_str(short.unwrap_or(&name));
        out.push_str(rest);
    }
    out
}
