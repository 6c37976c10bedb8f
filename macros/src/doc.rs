//! Turns doc comments into Markdown.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The doc comment among `attributes`; empty if there is none.
pub(crate) fn markdown(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> =
        lines.flat_map(|text| text.split('\n').map(str::to_owned).collect::<Vec<_>>()).collect();
    join(&lines)
}

/// The lines of a paragraph become one line, for renderers that keep every line break. Lists, code,
/// tables and headings keep theirs.
fn join(lines: &[String]) -> String {
    let mut out = String::new();
    let mut fenced = false;
    let mut joins = false;
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let fence = line.trim_start().starts_with("```");
        if joins && !fenced && continues(line) {
            out.push(' ');
            out.push_str(line.trim_start());
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(line);
        fenced ^= fence;
        joins = !fenced && !fence && !line.is_empty() && !line.starts_with(['#', '|']);
    }
    out.trim().to_owned()
}

/// Whether a line goes on with the paragraph or list item before it.
fn continues(line: &str) -> bool {
    let text = line.trim_start();
    let numbered = text.split_once(". ").is_some_and(|(number, _)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let special = ["- ", "* ", "+ ", "#", "|", ">", "```"];
    !text.is_empty() && !numbered && !special.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::join;

    fn check(lines: &[&str], markdown: &str) {
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(join(&lines), markdown);
    }

    #[test]
    fn a_paragraph_becomes_one_line() {
        check(&[" How long", " it lives."], "How long it lives.");
        check(&[" One.", "", " Two", " goes on."], "One.\n\nTwo goes on.");
        check(&[], "");
    }

    #[test]
    fn lists_keep_their_items() {
        check(
            &[" One of:", " - `a`: goes", "   on", " - `b`", "", " End."],
            "One of:\n- `a`: goes on\n- `b`\n\nEnd.",
        );
        check(&[" Steps:", " 1. first", " 2. second"], "Steps:\n1. first\n2. second");
        check(&[" 3.5 is", " a number"], "3.5 is a number");
    }

    #[test]
    fn code_and_tables_keep_their_lines() {
        check(
            &[" See", " ```hcl", " a = 1", "   b = 2", " ```", " and", " so on"],
            "See\n```hcl\na = 1\n  b = 2\n```\nand so on",
        );
        check(&[" | a |", " |---|", " | b |"], "| a |\n|---|\n| b |");
    }
}
