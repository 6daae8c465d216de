//! Whether the texts of a picture keep clear of each other and of its edges.

use super::svg::Type;

struct Box {
    text: String,
    across: (f64, f64),
    upright: (f64, f64),
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

fn boxes(svg: &str) -> Vec<Box> {
    svg.split("<text ")
        .skip(1)
        .filter_map(|rest| {
            let (tag, rest) = rest.split_once('>')?;
            let tag = format!(" {tag}");
            let text = rest.split('<').next()?.replace("&amp;", "&").replace("&lt;", "<").replace("&#39;", "'");
            let number = |name| attribute(&tag, name).and_then(|value| value.parse::<f64>().ok());
            let size = number("font-size").unwrap_or(Type::PLAIN.size);
            let style = Type { size, bold: tag.contains("font-weight"), ..Type::PLAIN };
            let width = style.width(&text);
            let (x, y) = (number("x")?, number("y")?);
            let left = match attribute(&tag, "text-anchor") {
                Some("middle") => x - width / 2.0,
                Some("end") => x - width,
                _ => x,
            };
            Some(Box { text, across: (left, left + width), upright: (y - size * 0.75, y + size * 0.1) })
        })
        .collect()
}

/// Fails if two texts meet, or one leaves the picture.
pub(super) fn none(name: &str, svg: &str) {
    let head = svg.split('>').next().unwrap_or("");
    let size = |name| attribute(head, name).and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0);
    let boxes = boxes(svg);
    for (number, one) in boxes.iter().enumerate() {
        assert!(one.across.0 >= -1.0 && one.across.1 <= size("width") + 1.0, "{name}: `{}` leaves it", one.text);
        assert!(one.upright.0 >= -1.0 && one.upright.1 <= size("height") + 1.0, "{name}: `{}` leaves it", one.text);
        for other in &boxes[number + 1..] {
            let meet = |a: (f64, f64), b: (f64, f64)| a.0 < b.1 && b.0 < a.1;
            assert!(
                !(meet(one.across, other.across) && meet(one.upright, other.upright)),
                "{name}: `{}` and `{}`",
                one.text,
                other.text
            );
        }
    }
}
