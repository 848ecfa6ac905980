// One request by HTTP or SMTP in one call: curl_easy_setopt is variadic and its callbacks are C, neither of which Swift
// imports. Nothing is kept between requests, redirects are not followed, and no other protocol is spoken.
#ifndef CLIBCURL_SHIM_H
#define CLIBCURL_SHIM_H

#include <curl/curl.h>
#include <string.h>

struct clibcurl_request {
    const char *url;
    const void *body;
    size_t body_length;
    // HTTP: GET, or POST of the body, with these header lines. Ignored for mail.
    int is_get;
    const char *const *headers;
    size_t header_count;
    // SMTP: both set, both without brackets.
    const char *mail_from;
    const char *mail_to;
    const char *username;
    const char *password;
    // Ends the request where the mail server offers no encryption; otherwise it is used where it is offered.
    int requires_tls;
    long timeout_milliseconds;
};

struct clibcurl_answer {
    // CURLE_OK, or why there is no answer.
    int code;
    // Status of HTTP, or the last reply of SMTP; 0 where there was none.
    long status;
    char error[CURL_ERROR_SIZE];
    // The caller's room for the beginning of the answer's body.
    char *body;
    size_t body_capacity;
    size_t body_length;
};

struct clibcurl_reader {
    const char *bytes;
    size_t left;
};

static inline size_t clibcurl_read(char *buffer, size_t size, size_t count, void *opaque) {
    struct clibcurl_reader *reader = opaque;
    size_t length = size * count < reader->left ? size * count : reader->left;
    memcpy(buffer, reader->bytes, length);
    reader->bytes += length;
    reader->left -= length;
    return length;
}

static inline size_t clibcurl_write(char *bytes, size_t size, size_t count, void *opaque) {
    struct clibcurl_answer *answer = opaque;
    size_t room = answer->body_capacity - answer->body_length;
    size_t length = size * count < room ? size * count : room;
    memcpy(answer->body + answer->body_length, bytes, length);
    answer->body_length += length;
    return size * count;
}

static inline void clibcurl_send(const struct clibcurl_request *request, struct clibcurl_answer *answer) {
    answer->status = 0;
    answer->error[0] = 0;
    answer->body_length = 0;
    CURL *curl = curl_easy_init();
    if (!curl) {
        answer->code = CURLE_FAILED_INIT;
        return;
    }
    struct curl_slist *list = NULL;
    struct clibcurl_reader reader = {request->body, request->body_length};
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, answer->error);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_milliseconds);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, request->timeout_milliseconds);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, clibcurl_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "driftgate");
    if (request->mail_to) {
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, request->mail_from);
        list = curl_slist_append(list, request->mail_to);
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, list);
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, clibcurl_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, &reader);
        curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(request->requires_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
        if (request->username) {
            curl_easy_setopt(curl, CURLOPT_USERNAME, request->username);
            curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
        }
    } else {
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
        for (size_t index = 0; index < request->header_count; index++) {
            list = curl_slist_append(list, request->headers[index]);
        }
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
        if (!request->is_get) {
            curl_easy_setopt(curl, CURLOPT_POST, 1L);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        }
    }
    answer->code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (answer->code != CURLE_OK && !answer->error[0]) {
        strncpy(answer->error, curl_easy_strerror((CURLcode)answer->code), sizeof answer->error - 1);
    }
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
}

// The macro's value has more bits than Swift imports.
static inline int clibcurl_initialise(void) { return (int)curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
