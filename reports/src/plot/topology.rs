//! Who sent how much to whom, in named spans of time: the width of a line is its rate, the sign in a node its state.

mod counts;
mod spans;

pub(crate) use spans::outs;
pub use spans::{Span, spans};

use super::frame::Width;
use super::svg::{Hatch, Paint, Path, Svg, Type};
use super::theme::Token;
use super::{id, number};
use crate::record::Arm;
use counts::Count;

/// Most spans that are drawn.
pub const MOST: usize = 8;
/// Instances that are drawn one by one; the others are one node.
const NODES: usize = 12;
/// Width of the widest line.
const WIDEST: f64 = 13.0;
/// Above the nodes: the name of the span, its time, the name of the service.
const HEAD: f64 = 58.0;
/// Where the proxy beside an instance is drawn.
const SIDECAR: f64 = 160.0;
/// Below them: what was lost.
const FOOT: f64 = 26.0;

/// What an instance is to its clients in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Gets traffic and has no fault.
    In,
    /// Gets none, or next to none.
    Out,
    /// Has a fault, and gets traffic.
    Faulty,
    /// Nobody counted.
    Unknown,
}

/// A node on the right: an instance, or several together.
struct Node {
    name: String,
    /// The service, where the node above is of another.
    head: Option<String>,
    health: Health,
    word: String,
    hatched: bool,
    count: Option<Count>,
}

/// Draws the picture; None if there is no span to draw.
pub fn topology(arm: &Arm, width: Width) -> Option<String> {
    let all = spans(arm);
    let drawn = &all[..all.len().min(MOST)];
    if drawn.is_empty() || arm.instances.is_empty() {
        return None;
    }
    let (columns, gap) = if width.narrow() { (1, 0.0) } else { (4, 20.0) };
    let panel = (width.pixels() - gap * (columns as f64 - 1.0)) / columns as f64;
    let nodes: Vec<Vec<Node>> = drawn.iter().map(|span| nodes(arm, span)).collect();
    let sent: Vec<Option<Count>> = drawn.iter().map(|span| counts::asked(arm, span)).collect();
    let rates = nodes.iter().flatten().filter_map(|node| node.count).chain(sent.iter().flatten().copied());
    let most = rates.filter(|count| count.all >= 20).map(|count| count.rate()).fold(0.0, f64::max);
    let height = HEAD + body(&nodes[0]) + FOOT + 18.0;
    let rows = drawn.len().div_ceil(columns);
    let mut svg = Svg::new(
        &id("topology", arm, width),
        (width.pixels(), height * rows as f64 - 18.0),
        "Who sent how much to whom, in spans of time",
        &about(drawn, &nodes, &sent),
    );
    for (number, span) in drawn.iter().enumerate() {
        let at = ((number % columns) as f64 * (panel + gap), (number / columns) as f64 * height);
        let part = Panel { arm, at, width: panel, most };
        part.draw(&mut svg, span, &nodes[number], sent[number]);
    }
    Some(svg.finish())
}

/// What the picture shows, in one sentence.
pub fn finding(arm: &Arm) -> String {
    let spans = spans(arm);
    if let Some((span, (who, several))) = spans.iter().find_map(|span| Some((span, span.out.as_ref()?))) {
        let (were, their) = if *several { ("were", "their") } else { ("was", "its") };
        return match counts::asked(arm, span) {
            Some(count) if count.bad == 0 => format!("While {who} {were} out, the others got {their} requests"),
            Some(count) => format!(
                "While {who} {were} out, {} of {} requests were lost",
                number::count(count.bad),
                number::count(count.all)
            ),
            None => format!("Where the requests went while {who} {were} out"),
        };
    }
    let kept = spans.iter().any(|span| span.state.as_deref() == Some("fault on, none out"));
    match arm.faults.first().and_then(|fault| arm.instances.get(fault.instance)) {
        Some(instance) if kept => format!("{} kept getting requests through the fault", instance.name),
        _ => "Where the requests went".to_owned(),
    }
}

fn about(spans: &[Span], nodes: &[Vec<Node>], sent: &[Option<Count>]) -> String {
    let one = |((span, nodes), sent): ((&Span, &Vec<Node>), &Option<Count>)| {
        let nodes: Vec<String> = nodes
            .iter()
            .map(|node| format!("{} {} {}", node.name, amount(node.count, "attempts"), node.word).trim_end().to_owned())
            .collect();
        format!("{}: clients {}; {}", title(span), amount(*sent, "requests"), nodes.join(", "))
    };
    spans.iter().zip(nodes).zip(sent).map(one).collect::<Vec<_>>().join(". ")
}

fn title(span: &Span) -> String {
    match &span.state {
        Some(state) => format!("{}: {state}", span.phase),
        None => span.phase.clone(),
    }
}

/// A rate where there is enough to make one, else the count.
fn amount(count: Option<Count>, what: &str) -> String {
    match count {
        None => "?".to_owned(),
        Some(count) if count.seconds >= 1.0 || count.all >= 100 => number::rate(count.rate()),
        Some(count) if count.all == 1 => format!(
            "1 {}",
            what.strip_suffix("ies").map_or_else(|| what.trim_end_matches('s').to_owned(), |stem| format!("{stem}y"),)
        ),
        Some(count) => format!("{} {what}", number::count(count.all)),
    }
}

/// A heading for each service and version.
fn group(arm: &Arm, instance: usize) -> String {
    let instance = &arm.instances[instance];
    match &instance.version {
        Some(version) => format!("{}@{version}", instance.service),
        None => instance.service.clone(),
    }
}

fn nodes(arm: &Arm, span: &Span) -> Vec<Node> {
    let count = arm.instances.len();
    let mut shown: Vec<usize> = (0..count).filter(|at| count <= NODES || arm.instances[*at].faulty).collect();
    shown.truncate(NODES);
    for at in 0..count {
        if shown.len() < NODES.min(count) && !shown.contains(&at) {
            shown.push(at);
        }
    }
    shown.sort_unstable();
    let mut above = None;
    let mut nodes: Vec<Node> = shown.iter().map(|at| node(arm, span, *at, &mut above)).collect();
    let others: Vec<usize> = (0..count).filter(|at| !shown.contains(at)).collect();
    if !others.is_empty() {
        let counts: Vec<Option<Count>> = others.iter().map(|at| counts::offered(arm, span, *at)).collect();
        let count = counts.into_iter().reduce(|sum, more| Some(sum?.plus(more?))).flatten();
        let health = if count.is_some() { Health::In } else { Health::Unknown };
        let name = format!("{} more", others.len());
        nodes.push(Node { name, head: Some(String::new()), health, word: String::new(), hatched: false, count });
    }
    nodes
}

fn node(arm: &Arm, span: &Span, at: usize, above: &mut Option<String>) -> Node {
    let instance = &arm.instances[at];
    let group = group(arm, at);
    let name = instance.name.strip_prefix(&group).filter(|rest| rest.starts_with('/')).unwrap_or(&instance.name);
    let count = counts::offered(arm, span, at);
    let faults = || arm.faults.iter().filter(|fault| fault.instance == at);
    let fault = faults().find(|fault| {
        let (from, to) = spans::worked(arm, fault);
        span.within(from, to)
    });
    let out = outs(arm, at).iter().any(|(from, to)| span.within(*from, *to));
    let (health, word) = match (count, fault) {
        (None, _) => (Health::Unknown, String::new()),
        (Some(_), _) if out => (Health::Out, "out".to_owned()),
        // Chance alone may give an instance nothing for a moment.
        (Some(count), None) if count.all == 0 && span.seconds() >= 1.0 => (Health::Out, "idle".to_owned()),
        (Some(count), Some(fault)) if count.all == 0 => (Health::Out, fault.kind.clone()),
        (Some(_), Some(fault)) => (Health::Faulty, fault.kind.clone()),
        (Some(_), None) => (Health::In, String::new()),
    };
    let head = (above.as_ref() != Some(&group)).then(|| group.clone());
    *above = Some(group);
    Node { name: name.to_owned(), head, health, word, hatched: fault.is_some(), count }
}

/// Height of a node, and from one to the next.
fn pitch(count: usize) -> (f64, f64) {
    if count <= 6 { (36.0, 50.0) } else { (22.0, 28.0) }
}

/// Room above a node for the name of its service.
const NAMED: f64 = 18.0;

fn body(nodes: &[Node]) -> f64 {
    let named = nodes.iter().skip(1).filter(|node| node.head.is_some()).count();
    let (height, pitch) = pitch(nodes.len());
    pitch * (nodes.len() as f64 - 1.0) + height + named as f64 * NAMED
}

/// One span.
struct Panel<'a> {
    arm: &'a Arm,
    at: (f64, f64),
    width: f64,
    most: f64,
}

impl Panel<'_> {
    fn x(&self, share: f64) -> f64 {
        self.at.0 + share
    }

    /// Width of a line; what flows at all can be seen.
    fn stroke(&self, rate: f64) -> f64 {
        (rate / self.most.max(1e-9) * WIDEST).clamp(1.0, WIDEST)
    }

    fn draw(&self, svg: &mut Svg, span: &Span, nodes: &[Node], sent: Option<Count>) {
        let (left, top) = self.at;
        svg.text(left, top + 12.0, &Type::BOLD.fitted(&title(span), self.width), Type::BOLD);
        svg.text(left, top + 28.0, &time(span), Type::SMALL);
        let (height, pitch) = pitch(nodes.len());
        let first = top + HEAD;
        let bottom = first + body(nodes);
        let middle = f64::midpoint(first, bottom);
        let node_left = self.x(176.0);
        let node_width = self.width - 176.0;
        let mut y = first;
        let mut places = Vec::new();
        for (number, node) in nodes.iter().enumerate() {
            if let Some(head) = &node.head {
                y += if number > 0 { NAMED } else { 0.0 };
                svg.text(node_left, y - 6.0, &Type::SMALL.fitted(head, node_width), Type::SMALL);
            }
            places.push(y);
            y += pitch;
        }
        self.edge(svg, sent, &[(self.x(44.0), middle), (self.x(62.0), middle)]);
        self.edge(svg, sent, &[(self.x(106.0), middle), (self.x(122.0), middle)]);
        let sidecars = self.arm.has_sidecars();
        let end = if sidecars { self.x(SIDECAR) } else { node_left };
        for (node, y) in nodes.iter().zip(&places) {
            self.edge(svg, node.count, &[(self.x(138.0), middle), (end, y + height / 2.0)]);
        }
        self.text_of(svg, sent, middle);
        self.parts(svg, middle, (first, bottom));
        for y in places.iter().filter(|_| sidecars) {
            svg.rect(end, y + 0.5, (14.0, height - 1.0), Paint::fill(Token::Surface).outline(Token::Ink2, 1.0));
            svg.text(end + 7.0, y + height / 2.0 + 4.0, "P", Type::SMALL.token(Token::Ink).middle());
        }
        for (node, y) in nodes.iter().zip(&places) {
            draw_node(svg, node, (node_left, *y), (node_width, height));
        }
        self.lost(svg, sent, bottom + 20.0);
    }

    /// The rate of all requests, above the line from the clients.
    fn text_of(&self, svg: &mut Svg, sent: Option<Count>, middle: f64) {
        let text = amount(sent, "requests");
        let half = Type::SMALL.width(&text) / 2.0;
        let x = self.x(53.0).max(self.at.0 + half);
        svg.text(x, middle - 23.0, &text, Type::SMALL.token(Token::Ink).middle());
    }

    /// The clients, the proxy and the relays; what the run did without is an empty dashed frame.
    fn parts(&self, svg: &mut Svg, middle: f64, (first, bottom): (f64, f64)) {
        let runs = |name: &str| self.arm.processes.iter().any(|one| one.name == name);
        let mode = self.arm.mode();
        let direct = matches!(mode, Some("none" | "server"));
        // Without a list of processes nothing says that a part was absent.
        let listed = !self.arm.processes.is_empty();
        let framed = |absent: bool| {
            let paint = Paint::fill(if absent { Token::Bg } else { Token::Surface });
            if absent { paint.outline(Token::Ink3, 1.0).dash("3 3") } else { paint.outline(Token::Ink2, 1.0) }
        };
        svg.rect(self.x(0.5), middle - 15.0, (44.0, 30.0), framed(false));
        svg.text(self.x(22.5), middle + 4.0, "clients", Type::SMALL.token(Token::Ink).middle());
        let absent = direct || (listed && !runs("proxy"));
        svg.rect(self.x(62.0), middle - 15.0, (44.0, 30.0), framed(absent));
        let style = if absent { Type::SMALL } else { Type::SMALL.token(Token::Ink) };
        let name = if mode == Some("gateway") { "gateway" } else { "proxy" };
        svg.text(self.x(84.0), middle + 4.0, name, style.middle());
        let absent = listed && !runs("shim");
        svg.rect(self.x(122.0), first, (16.0, bottom - first), framed(absent));
        svg.text(self.x(130.0), first - 6.0, "relays", Type::SMALL.middle());
    }

    /// A line as wide as its rate, the share of it that was lost or kept from the instance in its middle.
    fn edge(&self, svg: &mut Svg, count: Option<Count>, ends: &[(f64, f64); 2]) {
        let mut path = Path::default();
        let [from, to] = *ends;
        path.go(from.0, from.1);
        if (from.1 - to.1).abs() < 0.1 {
            path.across(to.0);
        } else {
            let half = f64::midpoint(from.0, to.0);
            path.curve((half, from.1), (half, to.1), to);
        }
        let Some(count) = count else {
            svg.path(&path, Paint::stroke(Token::Ink3, 1.6).dash("1.6 3.4"));
            return;
        };
        if count.all == 0 {
            svg.path(&path, Paint::stroke(Token::Line, 1.0));
            return;
        }
        let width = self.stroke(count.rate());
        svg.path(&path, Paint::stroke(Token::Ok, round(width)));
        if count.bad > 0 {
            svg.path(&path, Paint::stroke(Token::Lost, round((width * count.share()).max(1.0))));
        }
    }

    fn lost(&self, svg: &mut Svg, sent: Option<Count>, y: f64) {
        match sent {
            None => svg.text(self.at.0, y, "lost: ?", Type::SMALL),
            Some(count) if count.bad == 0 => {
                let text = format!("lost 0 of {}", number::count(count.all));
                svg.text(self.at.0, y, &text, Type::SMALL);
            }
            Some(count) => {
                // A share of a few is a number with more digits than it has grounds.
                let share =
                    if count.all < 100 { String::new() } else { format!(", {}", number::percent(count.share())) };
                let text = format!("lost {} of {}{share}", number::count(count.bad), number::count(count.all));
                let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
                svg.text(self.at.0, y, &style.fitted(&text, self.width), style);
            }
        }
    }
}

/// To a tenth, so that widths read as they are drawn.
fn round(width: f64) -> f64 {
    (width * 10.0).round() / 10.0
}

fn time(span: &Span) -> String {
    let short = |at: i64| number::trimmed(format!("{:.2}", at as f64 / 1e6));
    if span.seconds() < 1.0 {
        return format!("{} from {}{}s", number::duration(span.seconds()), short(span.from), number::NARROW);
    }
    format!("{} to {}{}s", short(span.from), short(span.to), number::NARROW)
}

fn draw_node(svg: &mut Svg, node: &Node, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let (edge, stroke) = match node.health {
        Health::Faulty => (Token::Lost, 2.0),
        Health::Out | Health::In | Health::Unknown => (Token::Ink2, 1.0),
    };
    let frame = Paint::fill(Token::Surface).outline(edge, stroke);
    let absent = matches!(node.health, Health::Out | Health::Unknown);
    svg.rect(x + 0.5, y + 0.5, (width - 1.5, height - 1.0), if absent { frame.dash("4 2") } else { frame });
    if node.hatched {
        svg.rect(x + 2.0, y + 2.0, (width - 4.0, height - 4.0), Paint::hatch(Hatch::Fault));
    }
    sign(svg, node.health, (x + 13.0, y + height / 2.0));
    let left = x + 25.0;
    let room = width - 30.0;
    let amount = match node.count {
        None => "no counts".to_owned(),
        known => amount(known, if width > 120.0 { "attempts" } else { "tries" }),
    };
    let small = Type::SMALL;
    let text = |svg: &mut Svg, x: f64, y: f64, text: &str, style: Type| {
        if node.hatched {
            svg.rect(x - 2.0, y - 10.5, (style.width(text) + 3.0, 13.0), Paint::fill(Token::Surface).opacity(0.85));
        }
        svg.text(x, y, text, style);
    };
    if height > 30.0 {
        let bold = Type { size: 11.5, ..Type::BOLD };
        let name = if node.word.is_empty() { node.name.clone() } else { format!("{} {}", node.name, node.word) };
        text(svg, left, y + 15.0, &bold.fitted(&name, room), bold);
        text(svg, left, y + 30.0, &small.fitted(&amount, room), small);
    } else {
        let name = if node.word.is_empty() || node.health == Health::In {
            format!("{} {amount}", node.name)
        } else {
            format!("{} {amount} {}", node.name, node.word)
        };
        text(svg, left, y + height / 2.0 + 4.0, &small.fitted(&name, room), small.token(Token::Ink));
    }
}

/// An entry of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign(Health);

impl Sign {
    /// All of them.
    pub const ALL: [Self; 4] = [Self(Health::In), Self(Health::Out), Self(Health::Faulty), Self(Health::Unknown)];

    /// The sign, drawn; `id` is unique in the page.
    pub fn sample(self, id: &str) -> String {
        let mut svg = Svg::new(id, (16.0, 16.0), "", "");
        svg.decorative();
        sign(&mut svg, self.0, (8.0, 8.0));
        svg.finish()
    }

    /// What it stands for.
    pub fn words(self) -> &'static str {
        match self.0 {
            Health::In => "gets traffic",
            Health::Out => "out: gets none, or next to none",
            Health::Faulty => "has the fault, and gets traffic",
            Health::Unknown => "not counted; its line is dotted",
        }
    }
}

/// A filled disc: in. A ring: out. A cross: faulty, and receiving. A question mark: not known.
fn sign(svg: &mut Svg, health: Health, (x, y): (f64, f64)) {
    match health {
        Health::In => svg.circle((x, y), 6.0, Paint::fill(Token::Heal)),
        Health::Out => svg.circle((x, y), 5.2, Paint::fill(Token::Bg).outline(Token::Ink2, 1.6)),
        Health::Faulty => {
            svg.rect(x - 7.0, y - 7.0, (14.0, 14.0), Paint::fill(Token::Lost));
            let mut cross = Path::default();
            cross.go(x - 3.6, y - 3.6);
            cross.to(x + 3.6, y + 3.6);
            cross.go(x + 3.6, y - 3.6);
            cross.to(x - 3.6, y + 3.6);
            svg.path(&cross, Paint::stroke(Token::Bg, 2.0));
        }
        Health::Unknown => svg.text(x, y + 4.5, "?", Type::BOLD.middle()),
    }
}

#[cfg(test)]
mod tests;
