//! What is wrong with a source, and where.

use super::*;

#[test]
fn faults_name_their_place() {
    let wflw = String::from_utf8(stream_fixture(Format::Wflw)).unwrap();
    let line = wflw.lines().next().unwrap();
    let with = |from: &str, to: &str| line.replacen(from, to, 1);
    let start = "t:1: 205 numbers before `photos/a.png`, expected 206: 98 points, a box of 4 numbers, 6 attributes; \
                 then the photo's path";
    let cofw = String::from_utf8(stream_fixture(Format::Cofw)).unwrap();
    let xml = |inside: &str| format!("<dataset>\n<images><image file='a.png'>{inside}</image></images></dataset>");
    let boxed = |parts: &str| xml(&format!("<box top='1' left='2' width='3' height='4'>\n{parts}</box>"));
    let coco = |annotation: &str| {
        let start = r#"{"images":[{"id":1,"file_name":"a.png"}],"annotations":[{"image_id":1,"keypoints":[]},"#;
        format!("{start}{annotation}]}}")
    };
    let table = |row: &str| format!("photo,x,y,w,h,a_x,a_y,b_x,b_y\n\n{row}\n");
    let cases: Vec<(Format, String, &str)> = vec![
        (Format::Wflw, with(" 0 0 1 0 0 0", " 0 0 1 0 0"), start),
        (Format::Wflw, with("5.000000", "NaN"), "t:1: NaN is not a coordinate in a photo"),
        (Format::Wflw, with("5.000000", "1e9"), "t:1: 1000000000 is not a coordinate in a photo"),
        (Format::Wflw, with("4 5 50 44", "50 5 4 44"), "t:1: the box is -46 wide and 39 high, expected more than 0"),
        (Format::Wflw, with("photos/a.png", ""), "t:1: no path of a photo after the 206 numbers"),
        (
            Format::Wflw,
            format!("{line}\n\nabc\n"),
            "t:3: 0 numbers before `abc`, expected 206: 98 points, a box of 4 \
            numbers, 6 attributes; then the photo's path",
        ),
        (Format::Wflw, "1 ".repeat(600_000), "t:1: a line longer than 1 MiB, so not a list of labels"),
        (Format::Cofw, String::new(), "t: empty file"),
        (
            Format::Cofw,
            cofw.replacen("x2,", "x02,", 1),
            "t:1: column 7 is called `x02`, expected `x2`; the CSV of COFW's 29 \
            points begins photo,x,y,w,h,x1 and ends o29: docs/labels.md",
        ),
        (Format::Cofw, cofw.replacen(",10,", ",,", 1), "t:2: column `x1`: `` is not a number"),
        (Format::Cofw, cofw.replacen(",50,40", ",0,40", 1), "t:2: the box is 0 wide and 40 high, expected more than 0"),
        (Format::Cofw, cofw.replacen("photos/a.png", " ", 1), "t:2: column `photo` is empty"),
        (
            Format::Cofw,
            cofw.trim_end().into(),
            "t:2: the file ends within this line: it was cut off; if it is whole, add \
            the missing line end",
        ),
        (
            Format::Aflw,
            "photo,x,y,w,h,x1,y1\n".into(),
            "t:1: 7 columns, expected 47; the CSV of AFLW's 21 or 19 points \
            begins photo,x,y,w,h,x1 and ends y21: docs/labels.md",
        ),
        (Format::Imglab, String::new(), "t:1: no XML: no tags"),
        (Format::Imglab, "a\0b".into(), "t:1: no XML: no tags"),
        (Format::Imglab, "<a><b></a></b>".into(), "t:1: </a>, expected </b>"),
        (Format::Imglab, "<a>".repeat(99), "t:1: nested deeper than 64 levels"),
        (Format::Imglab, "<a/><b/>".into(), "t:1: a second element after the end of the first"),
        (Format::Imglab, "</a>".into(), "t:1: </a>, expected no end tag"),
        (Format::Imglab, "<a\n b=c/>".into(), "t:2: `b=c` in <a>, expected name=\"value\""),
        (Format::Imglab, "<a b='1' b='2'/>".into(), "t:1: two attributes `b` in <a>"),
        (Format::Imglab, "<a b='&x;'/>".into(), "t:1: `&x;` is not known"),
        (Format::Imglab, "<a b='&#55555;'/>".into(), "t:1: `&#55555;` is not known"),
        (Format::Imglab, "<a b='1".into(), "t:1: the file ends within a tag: it was cut off"),
        (Format::Imglab, "<dataset>\n<images>\n".into(), "t:3: the file ends within <images>: it was cut off"),
        (Format::Imglab, format!("<a b='{}'/>", "x".repeat(70_000)), "t:1: a tag longer than 64 kB"),
        (Format::Imglab, "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>".into(), "t:1: `<` within a tag"),
        (Format::Imglab, "<!DOCTYPE a [ ]><a/>".into(), "t:1: a document type with entities of its own is not read"),
        (Format::Imglab, boxed("<part name='a' x='1'/>"), "t:3: <part> without `y`"),
        (Format::Imglab, boxed("<part name='a' x='1' y='z'/>"), "t:3: `y` of <part>: `z` is not a number"),
        (Format::Imglab, boxed("<part x='1' y='2'/>"), "t:3: <part> without a `name`"),
        (
            Format::Imglab,
            boxed("<part name='a' x='1' y='2'/><part name='a' x='1' y='2'/>"),
            "t:3: two parts `a` in one box",
        ),
        (
            Format::Imglab,
            boxed("<part name='a' x='1' y='2'/>").replace("width='3'", "width='0'"),
            "t:2: the box is 0 wide and 4 high, expected more than 0",
        ),
        (
            Format::Imglab,
            boxed("<part name='a' x='1' y='2'/>").replace("file='a.png'", ""),
            "t:2: <image> without a `file`",
        ),
        (Format::Coco, String::new(), "t: byte 0: no JSON object"),
        (Format::Coco, "[1]".into(), "t: byte 0: no JSON object"),
        (Format::Coco, "{}".into(), "t: no COCO labels: expected the lists `images` and `annotations`"),
        (Format::Coco, "{\"a\":1".into(), "t: byte 6: the file ends within the JSON: it was cut off"),
        (Format::Coco, "{\"a\":}".into(), "t: byte 5: `}`, expected a value"),
        (Format::Coco, "{\"a\":[}".into(), "t: byte 6: `}`, expected a value"),
        (Format::Coco, "{\"images\":3}".into(), "t: byte 10: `images` is not a list"),
        (Format::Coco, "{\"images\":[],}".into(), "t: byte 13: `}`, expected the name of a member"),
        (Format::Coco, "{} x".into(), "t: byte 3: text after the end of the object"),
        (Format::Coco, format!("{{\"a\":{}", "[".repeat(200)), "t: byte 132: nested deeper than 127 levels"),
        (
            Format::Coco,
            "{\"images\":[{\"id\":1}]}".into(),
            "t: images[0]: missing field `file_name` at line 1 column 8",
        ),
        (Format::Coco, coco("{\"image_id\":2,\"keypoints\":[1,2,2]}"), "t: annotations[1]: no image has the id 2"),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,2,2,4]}"),
            "t: annotations[1]: 4 numbers in `keypoints`, expected 3",
        ),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,2,0,1e7,2,1]}"),
            "t: annotations[1]: keypoint 1: 10000000 is not a coordinate in a photo",
        ),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,2,2],\"bbox\":[1,2,3]}"),
            "t: annotations[1]: `bbox` has 3 numbers, expected x, y, width and height",
        ),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,null,2]}"),
            "t: annotations[1]: invalid type: null, expected f64 at line 1 column 33",
        ),
        (
            Format::Coco,
            format!(
                "{{\"images\":[{{\"id\":1,\"file_name\":\"a\"}}],\"categories\":[{0},{0}],\"annotations\":[0]}}",
                "{\"id\":1,\"name\":\"cat\",\"keypoints\":[\"a\"]}"
            ),
            "t: several categories have keypoints (cat, cat); choose one: --category NAME",
        ),
        (
            Format::Kaggle,
            "Image\n".into(),
            "t:1: pictures without points, as in Kaggle's test.csv: there is nothing to learn \
            or compare with; Kaggle's training.csv has them",
        ),
        (Format::Kaggle, "a_x,a_y,Image\n1,,1 2\n".into(), "t:2: column `a_y`: `` is not a number"),
        (Format::Kaggle, "a_x,a_y,Image\n1,2,1 2\n".into(), "t:2: column `Image`: 2 pixels, expected 9216"),
        (
            Format::Table,
            "photo,x,y,w\n".into(),
            "t:1: column 5 is called ``, expected `h`: a label table begins \
            photo,x,y,w,h and then has NAME_x,NAME_y for each point",
        ),
        (
            Format::Table,
            "photo,x,y,w,h,a_x,b_y\n".into(),
            "t:1: columns 6 and 7 are called `a_x` and `b_y`: a label table \
            begins photo,x,y,w,h and then has NAME_x,NAME_y for each point",
        ),
        (
            Format::Table,
            "photo,x,y,w,h,A_x,A_y\n".into(),
            "t:1: a point is called `A`, expected small letters a-z, digits \
            and _",
        ),
        (Format::Table, "photo,x,y,w,h,a_x,a_y,a_x,a_y\n".into(), "t:1: two points are called `a`"),
        (Format::Table, table("p,,,,,1,2"), "t:3: 7 cells, expected 9"),
        (
            Format::Table,
            table("p,,,,,1,2,3,"),
            "t:3: column `b_y` is empty, but the other coordinate of the point is not",
        ),
        (Format::Table, table("p,1,,,,1,2,3,4"), "t:3: column `y` is empty, but the rest of the box is not"),
        (Format::Table, table("p,,,,,,,,"), "t:3: no point has a label"),
        (Format::Table, table("p,,,,,1,2,inf,4"), "t:3: column `b_x`: inf is not a coordinate in a photo"),
        (Format::Table, table(",,,,,1,2,3,4"), "t:3: column `photo` is empty"),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .map(|(format, text, message)| (format, fault(format, text), message))
        .filter(|(_, found, message)| found != message)
        .map(|(format, found, message)| format!("{format:?}:\n  {found}\n  {message}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_of_ljson_name_their_path() {
    for (json, message) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("3", "is not an .ljson file: expected an object"),
        ("{}", "version: is missing, expected 1, 2 or 3"),
        (r#"{"version":4}"#, "version: is 4, expected 1, 2 or 3"),
        (r#"{"version":2}"#, "landmarks: is missing"),
        (r#"{"version":2,"landmarks":{}}"#, "landmarks.points: is missing, expected a list"),
        (r#"{"version":2,"landmarks":{"points":[]}}"#, "no point has a label"),
        (r#"{"version":2,"landmarks":{"points":[[null,1]]}}"#, "no point has a label"),
        (
            r#"{"version":2,"landmarks":{"points":[[1,2],[1]]}}"#,
            "landmarks.points[1]: has 1 numbers, expected two: y, x",
        ),
        (r#"{"version":2,"landmarks":{"points":[[1,2,3]]}}"#, "landmarks.points[0]: has 3 numbers, expected two: y, x"),
        (r#"{"version":2,"landmarks":{"points":[["1",2]]}}"#, "landmarks.points[0]: is not two numbers: y, x"),
        (r#"{"version":2,"landmarks":{"points":[7]}}"#, "landmarks.points[0]: is not a pair of numbers: [y, x]"),
        (
            r#"{"version":2,"landmarks":{"points":[[1,1e99]]}}"#,
            "landmarks.points[0]: 100000000000000000000000000000000000000000000000000000000000000000000000000000\
             0000000000000000000000 is not a coordinate in a photo",
        ),
        (r#"{"version":1,"groups":[{}]}"#, "groups[0].landmarks: is missing, expected a list"),
        (r#"{"version":1,"groups":[0]}"#, "groups[0].landmarks: is missing"),
        (r#"{"version":3,"groups":{}}"#, "groups: no group"),
        (r#"{"version":3,"groups":{"a":{},"b":{}}}"#, "groups: several groups (a, b); choose one: --category NAME"),
        (r#"{"version":3,"groups":{"a":{}}}"#, "groups.a.landmarks: is missing"),
        (r#"{"version":3,"groups":{"a":0}}"#, "groups.a: is not an object"),
    ] {
        let (at, reason) = ljson::parse(json.as_bytes(), None, Origin::Zero).unwrap_err();
        assert_eq!(if at.is_empty() { reason } else { format!("{at}: {reason}") }, message);
    }
    let deep = format!("{{\"version\":2,\"landmarks\":{}", "[".repeat(100_000));
    assert!(ljson::parse(deep.as_bytes(), None, Origin::Zero).unwrap_err().1.starts_with("recursion limit exceeded"));
    let two = br#"{"version":3,"groups":{"a":{"landmarks":{"points":[[1,2]]}},"b":{"landmarks":{"points":[[3,4]]}}}}"#;
    assert_eq!(ljson::parse(two, Some("b"), Origin::Zero).unwrap(), [Some(Point::new(4.5, 3.5))]);
    assert!(ljson::parse(two, Some("c"), Origin::Zero).unwrap_err().1.ends_with("no group `c`; there are a, b"));
}

#[test]
fn jd106_reports_its_faults() {
    let folder = folder();
    let at = |name: &str| folder.path().join("photos").join(name);
    let points = "5 6\n".repeat(106);
    for (text, message) in [
        (String::new(), ":1: empty file"),
        ("68\n1 2\n".into(), ":1: the first line is `68`, expected the number of points: 106"),
        ("106\n1 2\n".into(), ":2: 1 points, but the first line says 106"),
        (format!("106\n{points}1 2"), ":108: more than 106 points"),
        (format!("106\n1 2 3\n{points}"), ":2: `1 2 3` is not two numbers"),
        (format!("106\n1 2e9\n{points}"), ":2: 2000000000 is not a coordinate in a photo"),
    ] {
        fs::write(at("a.png.txt"), text).unwrap();
        let error = import(Format::Jd106, &at("a.png.txt"), &at("o.csv"), Options::default(), |_| {});
        let error = error.unwrap_err().to_string();
        assert!(error.ends_with(&format!("a.png.txt{message}")), "{error}");
    }
    fs::write(at("a.png.txt"), format!("106\n{points}")).unwrap();
    fs::write(at("a.png.rect"), "1 2 3").unwrap();
    let error = import(Format::Jd106, &at("a.png.txt"), &at("o.csv"), Options::default(), |_| {});
    assert!(error.unwrap_err().to_string().ends_with("a.png.rect: expected left, top, right and bottom of a box"));
    fs::rename(at("a.png.txt"), at("c.png.txt")).unwrap();
    let error = import(Format::Jd106, &at(""), &at("o.csv"), Options::default(), |_| {});
    assert!(error.unwrap_err().to_string().contains("c.png.txt: no photo c.png in "));
}
