/// The dashboard: one page, its style and its script, part of the program.
public enum Page {
    public static var routes: [Route] {
        [
            file("/", "text/html; charset=utf-8", PackageResources.index_html),
            file("/style.css", "text/css; charset=utf-8", PackageResources.style_css),
            file("/app.js", "text/javascript; charset=utf-8", PackageResources.app_js),
        ]
    }

    private static func file(_ path: String, _ type: String, _ bytes: [UInt8]) -> Route {
        Route(path) { _ in Answer(type: type, body: .bytes(bytes)) }
    }
}
