//! The names of the columns: pairs of coordinates, then the picture.

use crate::text::excerpt;

/// The last column of every CSV.
pub const IMAGE: &str = "Image";

/// The coordinate columns of a CSV's header.
///
/// # Errors
/// A sentence, for a header that does not end in `Image` or whose other columns are not coordinates in pairs.
pub fn parse(cells: Vec<String>) -> Result<Vec<String>, String> {
    if cells.iter().all(|cell| cell.bytes().all(|b| b.is_ascii_digit() || b" .+-".contains(&b))) {
        return Err("the first line holds numbers, expected the names of the columns: x0,y0,x1,y1,...,Image".into());
    }
    let mut columns = cells;
    match columns.pop() {
        Some(last) if last.eq_ignore_ascii_case(IMAGE) => {}
        Some(last) => {
            let last = excerpt(&last);
            return Err(format!(
                "the last column is `{last}`, expected coordinates and then `{IMAGE}`: x0,y0,x1,y1,...,{IMAGE}"
            ));
        }
        None => return Err("no columns".into()),
    }
    if columns.iter().all(|name| name.eq_ignore_ascii_case("ImageId")) {
        return Err("pictures without points, as in Kaggle's test.csv: there is nothing to learn or compare with; \
                    Kaggle's training.csv has them"
            .into());
    }
    check(&columns)?;
    Ok(columns)
}

/// Whether `columns` can be coordinates: x and y alternating.
///
/// # Errors
/// A sentence that names the column.
pub fn check(columns: &[String]) -> Result<(), String> {
    if columns.is_empty() || !columns.len().is_multiple_of(2) {
        return Err(format!("{} columns of coordinates, expected two for each point", columns.len()));
    }
    for (i, name) in columns.iter().enumerate() {
        let (wanted, other) = if i % 2 == 0 { ('x', 'y') } else { ('y', 'x') };
        let shown = excerpt(name);
        if name.is_empty() || name.chars().any(|c| c == ',' || c.is_control()) {
            return Err(format!("column {} is called `{shown}`, expected the name of a coordinate", i + 1));
        }
        if axis(name) == Some(other) {
            return Err(format!("column {} is `{shown}`, expected {wanted}: x and y of each point alternate", i + 1));
        }
    }
    Ok(())
}

/// The names of the points whose coordinates these are; none where one is only a number: `nose_tip_x` is a name, `x0`
/// is a number.
pub fn point_names(columns: &[String]) -> Vec<String> {
    let name = |pair: &[String]| pair[0].strip_suffix("_x").filter(|name| !name.is_empty()).map(str::to_owned);
    columns.chunks_exact(2).map(name).collect::<Option<_>>().unwrap_or_default()
}

/// `x12` and `left_eye_x` are x.
fn axis(name: &str) -> Option<char> {
    let name = name.to_ascii_lowercase();
    ['x', 'y'].into_iter().find(|&axis| {
        let number = name.strip_prefix(axis).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'_'));
        number || name.strip_suffix(axis).is_some_and(|rest| rest.ends_with(['_', '.', ' ', '-']))
    })
}
