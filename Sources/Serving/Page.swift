/// The dashboard: one page, its style and its scripts, part of the program.
public enum Page {
    public static var routes: [Route] {
        [
            file("/", "text/html; charset=utf-8", PackageResources.index_html),
            file("/style.css", "text/css; charset=utf-8", PackageResources.style_css),
            script("basics", PackageResources.basics_js), script("talk", PackageResources.talk_js),
            script("charts", PackageResources.charts_js), script("models", PackageResources.models_js),
            script("model", PackageResources.model_js), script("app", PackageResources.app_js),
        ]
    }

    private static func script(_ name: String, _ bytes: [UInt8]) -> Route {
        file("/\(name).js", "text/javascript; charset=utf-8", bytes)
    }

    private static func file(_ path: String, _ type: String, _ bytes: [UInt8]) -> Route {
        Route(path) { _ in Answer(type: type, body: .bytes(bytes)) }
    }
}
