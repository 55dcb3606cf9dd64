import Sluice

extension Format where Value == FileOptions {
    static var files: Format {
        .object(
            "routes[].files", start: FileOptions(root: ""),
            keys: [
                Key(
                    "root", \.root, .folder, required: true,
                    "The folder. What the `**` of the route's path takes is looked for in it; where there is none the whole "
                        + "path, and with `rewrite` the rewritten path."),
                Key(
                    "index", \.index, .list(of: .text, "names", broken: "", allowsOne: true),
                    "The file that stands for a folder; of several names the first that is there. Folders are never listed."
                ),
                Key(
                    "fallback", optional: \.fallback, .text("a file below the root"),
                    "A file below the root that is served, with status 200, for paths that are not there: `index.html` for "
                        + "an application in one page."),
                Key("cache_control", optional: \.cacheControl, .text, "The `Cache-Control` of files."),
                Key(
                    "precompressed", \.precompressed, .boolean,
                    "Whether clients that accept gzip get the file of the same name and `.gz` beside a file, where there is one."
                ),
                Key(
                    "types", \.types, .dictionary(of: .text, "media types", broken: ""),
                    "Media types by extension, without its dot, beside those that are known or in place of them."
                ).written { !$0.types.isEmpty },
            ], short: "root")
    }
}
