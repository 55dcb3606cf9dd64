private func length(_ value: String) -> String { head("POST / HTTP/1.1", "Host: a", "Content-Length: " + value) }

private func coding(_ values: String...) -> String {
    "POST / HTTP/1.1\r\nHost: a\r\n" + values.map { "Transfer-Encoding:" + $0 + "\r\n" }.joined() + "\r\n"
}

private let badLength = "failed 400: bad Content-Length"
private let twoLengths = "failed 400: more than one Content-Length"
private let badCoding = "failed 400: Transfer-Encoding is not exactly \"chunked\""
private let both = "failed 400: both Content-Length and Transfer-Encoding"
private let badSize = "failed 400: bad chunk size"
private let badExtension = "failed 400: bad chunk extension"
private let bareLF = "failed 400: bare LF in a chunk line"
private let forbidden = "failed 400: a field that must not be a trailer"

/// Framing and bodies that are refused: what request smuggling is made of.
let refusedBodies: [Case] = [
    Case("a sign", length("+5") + "hello", badLength),
    Case("a negative length", length("-1"), badLength),
    Case("minus nothing", length("-0"), badLength),
    Case("a hexadecimal length", length("0x5") + "hello", badLength),
    Case("an octal length", length("0o5") + "hello", badLength),
    Case("a separator", length("1_0"), badLength),
    Case("a space inside", length("1 0"), badLength),
    Case("a fraction", length("5.0"), badLength),
    Case("no number", length("abc"), badLength),
    Case("an empty length", length(""), badLength),
    Case("a list of lengths", length("5, 10"), badLength),
    Case("a list of equal lengths", length("5, 5"), badLength),
    Case("a length over 64 bits", length("18446744073709551616"), badLength),
    Case("a far longer length", length(String(repeating: "9", count: 60)), badLength),
    Case("digits over 127", length("\u{B2}"), badLength),
    Case("two lengths", head("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "Content-Length: 6"), twoLengths),
    Case("two equal lengths", head("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "content-length: 5"), twoLengths),
    Case(
        "length, then coding",
        head("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n", both),
    Case(
        "coding, then length",
        head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n", both),
    Case(
        "coding with a zero length",
        head("POST / HTTP/1.1", "Host: a", "Content-Length: 0", "Transfer-Encoding: chunked"), both),
    Case("no coding", coding(""), badCoding),
    Case("twice in a list", coding(" chunked, chunked"), badCoding),
    Case("twice", coding(" chunked", " chunked"), "failed 400: more than one Transfer-Encoding"),
    Case("another after it", coding(" chunked", " identity"), "failed 400: more than one Transfer-Encoding"),
    Case("another before it", coding(" gzip, chunked"), badCoding),
    Case("not the last", coding(" chunked, gzip"), badCoding),
    Case("identity", coding(" identity"), badCoding),
    Case("an unknown one", coding(" xchunked"), badCoding),
    Case("a comma before", coding(" ,chunked"), badCoding),
    Case("a comma behind", coding(" chunked,"), badCoding),
    Case("a parameter", coding(" chunked;a=b"), badCoding),
    Case("quotes", coding(" \"chunked\""), badCoding),
    Case("a vertical tab", coding("\u{B}chunked"), "failed 400: control character in a field value"),
    Case("a NUL", coding(" chunked\u{0}"), "failed 400: control character in a field value"),
    Case("a folded coding", coding("\r\n chunked"), badCoding),
    Case(
        "a space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
        "failed 400: white space before the colon of a field"),
    Case("in 1.0", head("POST / HTTP/1.0", "Transfer-Encoding: chunked"), "failed 400: Transfer-Encoding in HTTP/1.0"),
    // Chunk lines.
    Case("an empty size", chunkedPost + "\r\n", badSize),
    Case("a size with a sign", chunkedPost + "+5\r\nhello\r\n", badSize),
    Case("a negative size", chunkedPost + "-1\r\n", badSize),
    Case("a prefix", chunkedPost + "0x5\r\nhello\r\n", badSize),
    Case("a separator in a size", chunkedPost + "1_0\r\n", badSize),
    Case("a space before a size", chunkedPost + " 5\r\nhello\r\n", badSize),
    Case("a space behind a size", chunkedPost + "5 \r\nhello\r\n", badExtension),
    Case("no digit", chunkedPost + "g\r\n", badSize),
    Case("a size over 64 bits", chunkedPost + "10000000000000000\r\n", "failed 400: chunk size over 64 bits"),
    Case(
        "a size that would wrap", chunkedPost + "100000000000000005\r\nhello\r\n", "failed 400: chunk size over 64 bits"
    ),
    Case("a size behind LF", chunkedPost + "5\nhello\r\n0\r\n\r\n", bareLF),
    Case("a size behind CR", chunkedPost + "5\rhello", "failed 400: bare CR in a chunk line"),
    Case("a lone semicolon", chunkedPost + "5;\r\nhello\r\n", badExtension),
    Case("a semicolon behind LF", chunkedPost + "5;\nhello\r\n", bareLF),
    Case("two semicolons", chunkedPost + "5;;a\r\nhello\r\n", badExtension),
    Case("no value", chunkedPost + "5;a=\r\nhello\r\n", badExtension),
    Case("an extension behind LF", chunkedPost + "5;a\nhello\r\n", bareLF),
    Case("a bare CR in an extension", chunkedPost + "5;a\rb\r\nhello\r\n", "failed 400: bare CR in a chunk line"),
    Case("NUL in an extension", chunkedPost + "5;a\u{0}\r\nhello\r\n", badExtension),
    Case("a bracket in an extension", chunkedPost + "5;bad[=x\r\nhello\r\n", badExtension),
    Case("CR in a quoted value", chunkedPost + "5;a=\"\r\n\"\r\nhello\r\n", badExtension),
    Case("LF in a quoted value", chunkedPost + "5;a=\"\n\"\r\nhello\r\n", bareLF),
    Case("LF behind a backslash", chunkedPost + "5;a=\"\\\n\"\r\nhello\r\n", bareLF),
    Case("text behind a quoted value", chunkedPost + "5;a=\"b\"c\r\nhello\r\n", badExtension),
    Case("white space at the end of a name", chunkedPost + "5;a \r\nhello\r\n", badExtension),
    Case(
        "an endless extension", chunkedPost + "5;" + String(repeating: "a", count: 5000),
        "failed 400: chunk line too long"),
    Case(
        "extensions that outweigh the data",
        chunkedPost + String(repeating: "1;" + String(repeating: "a", count: 4000) + "\r\nx\r\n", count: 20),
        "failed 400: too many chunk extensions"),
    Case("endless zeros", chunkedPost + String(repeating: "0", count: 5000), "failed 400: chunk line too long"),
    // Chunk data and its end.
    Case(
        "data longer than its size", chunkedPost + "5\r\nhello!!\r\n0\r\n\r\n",
        "failed 400: chunk data longer than its size"),
    Case("data without its end", chunkedPost + "5\r\nhello0\r\n\r\n", "failed 400: chunk data longer than its size"),
    Case(
        "data that ends with LF", chunkedPost + "5\r\nhello\n0\r\n\r\n", "failed 400: chunk data longer than its size"),
    Case("data that ends with CR", chunkedPost + "5\r\nhello\r0\r\n\r\n", "failed 400: bare CR after chunk data"),
    // Trailers.
    Case("a last chunk behind LF", chunkedPost + "0\n\r\n", bareLF),
    Case("trailers behind LF", chunkedPost + "0\r\n\n", "failed 400: bare LF in the header"),
    Case("a trailer behind LF", chunkedPost + "0\r\nX: a\n\r\n", "failed 400: bare LF in a field"),
    Case(
        "a folded trailer", chunkedPost + "0\r\nX: a\r\n b\r\n\r\n",
        "failed 400: white space at the start of a header line"),
    Case(
        "a request in place of trailers", chunkedPost + "0\r\nGET / HTTP/1.1\r\n",
        "failed 400: white space before the colon of a field"),
    Case("a length as a trailer", chunkedPost + "0\r\nContent-Length: 5\r\n\r\n", forbidden),
    Case("a coding as a trailer", chunkedPost + "0\r\nTransfer-Encoding: chunked\r\n\r\n", forbidden),
    Case("a host as a trailer", chunkedPost + "0\r\nHOST: b\r\n\r\n", forbidden),
    Case("credentials as a trailer", chunkedPost + "0\r\nAuthorization: x\r\n\r\n", forbidden),
    Case(
        "too many trailers", chunkedPost + "0\r\n" + String(repeating: "x: y\r\n", count: 101),
        "failed 431: too many header fields"),
    Case(
        "endless trailers", chunkedPost + "0\r\nx:" + String(repeating: "y", count: 66000),
        "failed 431: trailers too large"),
    Case(
        "what follows a refusal is not read", length("x") + head("GET /2 HTTP/1.1", "Host: a"), badLength),
]
