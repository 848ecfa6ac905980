/// Text in HTML: whatever a name holds, it stays text.
enum HTMLText {
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// A table; the cells are escaped here. Columns of figures are set to the right.
    static func table(
        _ header: [String], _ rows: [[String]], caption: String? = nil, figures: Set<Int> = [],
        rowClass: (Int) -> String? = { _ in nil }
    ) -> String {
        func cell(_ tag: String, _ text: String, _ column: Int, _ more: String = "") -> String {
            "<\(tag)\(figures.contains(column) ? " class=\"n\"" : "")\(more)>\(escaped(text))</\(tag)>"
        }
        var text = "<div class=\"scroll\"><table>"
        if let caption { text += "<caption>\(escaped(caption))</caption>" }
        text += "<thead><tr>"
        for (column, name) in header.enumerated() { text += cell("th", name, column, " scope=\"col\"") }
        text += "</tr></thead><tbody>"
        for (index, row) in rows.enumerated() {
            text += rowClass(index).map { "<tr class=\"\($0)\">" } ?? "<tr>"
            for (column, value) in row.enumerated() {
                text += column == 0 ? cell("th", value, column, " scope=\"row\"") : cell("td", value, column)
            }
            text += "</tr>"
        }
        return text + "</tbody></table></div>\n"
    }
}
