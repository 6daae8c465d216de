//! SVG to PNG, with a font of our own: machines in CI have none.

use super::Error;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::{Arc, LazyLock};

const REGULAR: &[u8] = include_bytes!("../../assets/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/NotoSans-Bold.ttf");

/// The one family, whatever is asked for.
const FAMILY: &str = "Noto Sans";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(BOLD.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    fonts.set_serif_family(FAMILY);
    fonts.set_monospace_family(FAMILY);
    Arc::new(fonts)
});

/// Draws the picture at twice its size.
pub fn png(svg: &str) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Picture(error.to_string());
    let options = Options { font_family: FAMILY.to_owned(), fontdb: Arc::clone(&FONTS), ..Options::default() };
    // The font that comes along has no narrow blank.
    let svg = svg.replace(super::number::NARROW, "\u{a0}");
    let tree = Tree::from_str(&svg, &options).map_err(|error| failed(&error))?;
    let size = tree.size();
    let mut pixels = Pixmap::new((size.width() * 2.0) as u32, (size.height() * 2.0) as u32)
        .ok_or_else(|| Error::Picture("it has no size".to_owned()))?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(2.0, 2.0), &mut pixels.as_mut());
    encoded(&pixels).map_err(|error| failed(&error))
}

/// Areas of one colour pack well with one filter for all; to choose one by line takes longer and gains nothing. The ground is opaque: three bytes a pixel.
fn encoded(pixels: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Paeth);
    let opaque: Vec<u8> = pixels.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    encoder.write_header()?.write_image_data(&opaque)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_really_drawn() {
        let ink = |text: &str| {
            let svg = format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><text x="5" y="25" font-family="Anything" font-size="20">{text}</text></svg>"#
            );
            let image = Pixmap::decode_png(&png(&svg).unwrap()).unwrap();
            image.pixels().iter().filter(|pixel| pixel.red() < 128).count()
        };
        assert_eq!(ink(""), 0);
        assert!(ink("ejected") > 300);
    }
}
