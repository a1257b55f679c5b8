//! Pieces of HTML that are XML as well. Text goes through [`escape`]; names come from users.

/// Text without meaning to HTML and XML.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            // XML has no way to write them.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A sentence: escaped, and units stay on the line of their numbers.
fn sentence(text: &str) -> String {
    const UNITS: [&str; 6] = ["%", "px", "MB", "KiB", "MiB", "ms"];
    UNITS.iter().fold(escape(text), |text, unit| text.replace(&format!(" {unit}"), &format!("\u{a0}{unit}")))
}

/// A paragraph.
pub fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", sentence(text))
}

/// A list with a dot before each item.
pub fn bullets(items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("<li>{}</li>\n", sentence(item))).collect();
    format!("<ul>\n{items}</ul>\n")
}

/// A table: what is compared stands in columns, what it is compared by in rows.
pub struct Table {
    /// Above the table.
    pub caption: String,
    /// Head of each column, with a smaller line below it.
    pub columns: Vec<(String, String)>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a [`Table`].
pub enum Row {
    /// A heading over the rows that follow.
    Group(String),
    /// Numbers.
    Cells {
        /// What the row holds.
        name: String,
        /// From the paper, not from us.
        paper: bool,
        /// One for each column.
        cells: Vec<Cell>,
    },
}

/// A cell.
#[derive(Clone)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// In bold.
    pub best: bool,
}

impl Row {
    /// A row of ours.
    pub fn ours(name: impl Into<String>, cells: impl IntoIterator<Item = String>) -> Self {
        Self::new(name, false, cells)
    }

    /// A row of the paper's.
    pub fn paper(name: impl Into<String>, cells: impl IntoIterator<Item = String>) -> Self {
        Self::new(name, true, cells)
    }

    fn new(name: impl Into<String>, paper: bool, cells: impl IntoIterator<Item = String>) -> Self {
        let cells = cells.into_iter().map(|text| Cell { text, best: false }).collect();
        Self::Cells { name: name.into(), paper, cells }
    }
}

impl Table {
    /// As HTML, in a box that scrolls sideways where the screen is narrow.
    pub fn html(&self) -> String {
        let head = |(name, note): &(String, String)| {
            format!("<th scope=\"col\">{}<small>{}</small></th>", escape(name), escape(note))
        };
        let heads: String = self.columns.iter().map(head).collect();
        let rows: String = self.rows.iter().map(|row| self.row(row)).collect();
        format!(
            "<div class=\"wide\" tabindex=\"0\"><table>\n<caption>{}</caption>\n\
             <thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n",
            escape(&self.caption)
        )
    }

    fn row(&self, row: &Row) -> String {
        match row {
            Row::Group(name) => {
                let span = self.columns.len() + 1;
                format!("<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{span}\">{}</th></tr>\n", escape(name))
            }
            Row::Cells { name, paper, cells } => {
                let class = if *paper { " class=\"paper\"" } else { "" };
                let cell = |cell: &Cell| {
                    let text = escape(&cell.text);
                    if cell.best { format!("<td><b>{text}</b></td>") } else { format!("<td>{text}</td>") }
                };
                let cells: String = cells.iter().map(cell).collect();
                format!("<tr{class}><th scope=\"row\">{}</th>{cells}</tr>\n", escape(name))
            }
        }
    }
}
