#ifndef CSIMDJSON_H
#define CSIMDJSON_H

// A flat C interface to simdjson for small records of known shape.
//
// A *plan* says where the fields of a kind of record are (JSON pointers, already split into segments). A *parser* reads
// one record by a plan and fills one flat structure. It knows JSON and CloudEvents envelopes, and nothing of what the
// fields mean. simdjson validates the whole document, also what no field of the plan names.
//
// Everything that a parser hands out belongs to it and is valid until its next parse. A parser serves one thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /// Fields that a plan can have.
    CSIMDJSON_FIELDS = 16,
    /// Texts that a list keeps; the rest is left out.
    CSIMDJSON_TEXTS = 32,
    /// Figures that the summaries of a record keep; the rest is left out.
    CSIMDJSON_SUMMARY_FIGURES = 16384,
};

typedef enum {
    /// Any JSON value, reported as it is.
    CSIMDJSON_SCALAR,
    /// An object from names to numbers, quantile objects or nulls; fills `values`.
    CSIMDJSON_VALUES,
    /// One number or quantile object; the field then holds the number, or the median.
    CSIMDJSON_VALUE,
    /// An object from names to anything; the numbers in it fill `values`, the rest is left out.
    CSIMDJSON_FIGURES,
    /// A list of texts; fills `texts`. A single text is a list of one.
    CSIMDJSON_TEXT_LIST,
    /// An object from names to objects of figures: `count`, and quantiles by percent such as `p2.5`; fills `summaries`.
    /// What is something else is left out.
    CSIMDJSON_SUMMARIES,
} csimdjson_form;

typedef enum {
    CSIMDJSON_ABSENT,
    CSIMDJSON_NULL,
    CSIMDJSON_BOOLEAN,
    /// Fits int64_t; `number` holds it as well, rounded.
    CSIMDJSON_INTEGER,
    /// A number with fraction or exponent, or an integer that fits uint64_t only.
    CSIMDJSON_NUMBER,
    CSIMDJSON_TEXT,
    CSIMDJSON_OBJECT,
    CSIMDJSON_ARRAY,
} csimdjson_kind;

typedef struct {
    csimdjson_kind kind;
    bool boolean;
    /// A control character (C0, C1 or DEL) is in the text.
    bool has_control;
    /// Unescaped UTF-8.
    const uint8_t *text;
    ptrdiff_t text_count;
    int64_t integer;
    double number;
} csimdjson_field;

typedef struct {
    const uint8_t *name;
    ptrdiff_t name_count;
    double value;
} csimdjson_value;

typedef struct {
    const uint8_t *name;
    ptrdiff_t name_count;
    /// -1 stands for `count`.
    double percent;
    double value;
} csimdjson_summary_figure;

typedef struct {
    const uint8_t *bytes;
    ptrdiff_t count;
} csimdjson_text;

typedef enum {
    CSIMDJSON_OK,
    /// simdjson refused the document; see `error_code` and `csimdjson_error_message`.
    CSIMDJSON_INVALID,
    CSIMDJSON_TOO_DEEP,
    CSIMDJSON_NOT_AN_OBJECT,
    /// `data` of an envelope is not an object, or there is none.
    CSIMDJSON_ENVELOPE_DATA,
    /// The envelope carries `data_base64`: decode `envelope_base64`, parse the outcome without envelope.
    CSIMDJSON_ENVELOPE_BASE64,
    /// The following name the entry of `values` at fault in `error_name`.
    CSIMDJSON_VALUE_TYPE,
    CSIMDJSON_VALUE_NAME_EMPTY,
    CSIMDJSON_VALUE_NAME_LONG,
    CSIMDJSON_VALUE_NAME_CONTROL,
    CSIMDJSON_TOO_MANY_VALUES,
    CSIMDJSON_MEDIAN_MISSING,
    CSIMDJSON_QUANTILE_TYPE,
} csimdjson_status;

typedef struct {
    csimdjson_status status;
    /// simdjson's own code, where `status` is CSIMDJSON_INVALID.
    int32_t error_code;
    csimdjson_text error_name;
    /// The record came inside a CloudEvent in structured mode; the three fields are its attributes.
    bool is_envelope;
    csimdjson_field specversion;
    csimdjson_field time;
    csimdjson_field datacontenttype;
    csimdjson_text envelope_base64;
    /// By the numbers given to `csimdjson_plan_add`; CSIMDJSON_FIELDS of them.
    const csimdjson_field *fields;
    const csimdjson_value *values;
    ptrdiff_t value_count;
    const csimdjson_text *texts;
    ptrdiff_t text_count;
    /// In the order of the record; valid until the next parse, and may move between two.
    const csimdjson_summary_figure *summaries;
    ptrdiff_t summary_count;
} csimdjson_record;

typedef struct csimdjson_plan csimdjson_plan;
typedef struct csimdjson_parser csimdjson_parser;

csimdjson_plan *csimdjson_plan_create(void);
void csimdjson_plan_destroy(csimdjson_plan *plan);

/// Adds a field at the end of `segment_count` (>= 1) segments. Pointers must not overlap: whoever builds the plan
/// has checked that. `field` is below CSIMDJSON_FIELDS and used once.
void csimdjson_plan_add(csimdjson_plan *plan, int32_t field, csimdjson_form form, const csimdjson_text *segments,
                        ptrdiff_t segment_count);

typedef struct {
    ptrdiff_t depth;
    ptrdiff_t values;
    ptrdiff_t name_bytes;
} csimdjson_limits;

csimdjson_parser *csimdjson_parser_create(csimdjson_limits limits);
void csimdjson_parser_destroy(csimdjson_parser *parser);

/// The structure that every parse of this parser fills. Its address and its arrays' addresses never change, but that of
/// `summaries`.
const csimdjson_record *csimdjson_parser_record(const csimdjson_parser *parser);

/// Parses `count` bytes (no padding needed) by the plan. `with_envelope`: look for a CloudEvent in structured mode.
csimdjson_status csimdjson_parse(csimdjson_parser *parser, const csimdjson_plan *plan, const uint8_t *bytes,
                                 ptrdiff_t count, bool with_envelope);

/// simdjson's words for an `error_code`; static.
const char *csimdjson_error_message(int32_t error_code);

#ifdef __cplusplus
}
#endif

#endif
