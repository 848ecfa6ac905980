// What Swift cannot import from librdkafka's headers: variadic functions and the macros that go with them.
#ifndef CLIBRDKAFKA_SHIM_H
#define CLIBRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

// rd_kafka_producev: key and value are copied. `headers` belongs to librdkafka when the result is NO_ERROR and to the
// caller otherwise; it may be NULL. A timestamp of 0 means now.
static inline rd_kafka_resp_err_t clibrdkafka_produce(
        rd_kafka_t *client, const char *topic, int32_t partition, const void *key, size_t key_length,
        const void *value, size_t value_length, rd_kafka_headers_t *headers, int64_t timestamp, void *token) {
    if (headers) {
        return rd_kafka_producev(
                client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key, key_length),
                RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_OPAQUE(token), RD_KAFKA_V_HEADERS(headers),
                RD_KAFKA_V_END);
    }
    return rd_kafka_producev(
            client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key, key_length),
            RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_OPAQUE(token), RD_KAFKA_V_END);
}

// The list frees its metadata with free(), so it must come from malloc(). Returns 0 when memory is exhausted.
static inline int clibrdkafka_set_metadata(rd_kafka_topic_partition_t *element, const void *bytes, size_t length) {
    void *copy = malloc(length ? length : 1);
    if (!copy) {
        return 0;
    }
    if (length) {
        memcpy(copy, bytes, length);
    }
    element->metadata = copy;
    element->metadata_size = length;
    return 1;
}

// Destroys `count` messages in one call, so that Swift crosses into C once a batch and not once a message.
static inline void clibrdkafka_destroy_messages(rd_kafka_message_t **messages, size_t count) {
    for (size_t index = 0; index < count; index++) {
        rd_kafka_message_destroy(messages[index]);
        messages[index] = NULL;
    }
}

// An eventfd that never blocks and is not inherited; the C library's module does not export eventfd() to Swift.
static inline int clibrdkafka_eventfd(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

#endif
