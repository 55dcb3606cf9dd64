import Sluice

extension Format where Value == Redirect {
    static var redirect: Format {
        .object(
            "routes[].redirect", start: Redirect(to: ""),
            keys: [
                Key(
                    "to", \.location, .text("a URL or a path"), required: true,
                    "Where: a URL, or a path. `{host}` (without port), `{path}`, `{query}` (with its `?`) and `{uri}` "
                        + "(both) are the request's as they came, other names parameters of the route's path."),
                Key("status", \.status, .integer, "301, 302, 303, 307 or 308."),
            ], short: "to")
    }
}
