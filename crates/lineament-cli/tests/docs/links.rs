//! Links that lead somewhere: relative links and anchors in Markdown. `make doc` checks those in Rust's documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::files;

#[test]
fn every_relative_link_in_markdown_leads_to_a_file_and_a_heading() {
    let texts: BTreeMap<String, String> = files::with_extension("md").into_iter().collect();
    let mut dead = Vec::new();
    for (name, text) in &texts {
        for (line, target) in links(text) {
            if let Err(reason) = follow(name, &target, &texts) {
                dead.push(format!("{name}:{line}: {target}: {reason}"));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn every_document_named_in_code_is_there() {
    let root = files::root();
    let mut dead = Vec::new();
    for extension in ["rs", "sh", "py", "toml"] {
        for (name, text) in files::with_extension(extension) {
            for (index, line) in text.lines().enumerate() {
                for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c))) {
                    let word = word.trim_end_matches('.');
                    if word.starts_with("docs/") && word.ends_with(".md") && !root.join(word).exists() {
                        dead.push(format!("{name}:{}: {word}", index + 1));
                    }
                }
            }
        }
    }
    assert!(dead.is_empty(), "there is no such document:\n{}", dead.join("\n"));
}

/// Whether a link in the file `from` leads somewhere. Addresses of the web are not followed.
fn follow(from: &str, target: &str, texts: &BTreeMap<String, String>) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { from.to_owned() } else { resolve(from, path)? };
    if !files::root().join(&file).exists() {
        return Err(format!("there is no {file}"));
    }
    match texts.get(&file) {
        Some(text) if !anchor.is_empty() && !anchors(text).contains(anchor) => {
            Err(format!("{file} has no such heading"))
        }
        _ => Ok(()),
    }
}

/// `path` as seen from the file `from`, below the root.
fn resolve(from: &str, path: &str) -> Result<String, String> {
    let folder = Path::new(from).parent().expect("a file lies in a folder");
    let mut parts: Vec<&str> = folder.iter().map(|part| part.to_str().expect("our names are ASCII")).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or("leaves the repository")?),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The targets of `[text](target)` and `[name]: target` outside of code, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let line_text = without_code(line);
        let mut rest = line_text.as_str();
        while let Some(start) = rest.find("](") {
            rest = &rest[start + 2..];
            let Some(end) = rest.find(')') else { break };
            let target = rest[..end].split_whitespace().next().unwrap_or("");
            found.push((index + 1, target.to_owned()));
            rest = &rest[end..];
        }
        if let Some((_, target)) = line_text.strip_prefix('[').and_then(|line| line.split_once("]: ")) {
            found.push((index + 1, target.trim().to_owned()));
        }
    }
    found
}

/// A line without what stands in backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("` `")
}

/// The anchors that GitHub gives to the headings of a Markdown text.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in files::prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let slug: String = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter_map(|c| match c {
                ' ' => Some('-'),
                c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                _ => None,
            })
            .collect();
        let name = (0..)
            .map(|copy| if copy == 0 { slug.clone() } else { format!("{slug}-{copy}") })
            .find(|name| !found.contains(name))
            .expect("one is free");
        found.insert(name);
    }
    found
}

#[test]
fn links_and_headings_are_found_as_github_finds_them() {
    let text = "# One `two`, three\n\nsee [here](a.md#b) and `[not](this.md)`\n```\n[nor](that.md)\n```\n[c]: d.md\n\
                ## What is 2026-11-28: a, b?\n## Same\n## Same\n";
    assert_eq!(links(text), [(3, "a.md#b".to_owned()), (7, "d.md".to_owned())]);
    let expected = ["one-two-three", "same", "same-1", "what-is-2026-11-28-a-b"];
    assert_eq!(anchors(text).iter().map(String::as_str).collect::<Vec<_>>(), expected);
    assert_eq!(resolve("a/b/c.md", "../../README.md"), Ok("README.md".to_owned()));
    assert!(resolve("b.md", "../README.md").is_err());
}
