// Feeds a worker at a fixed rate, and tells how long after the record that crossed a boundary each decision was there.
//
//     paced ADDRESS PARTITIONS SERIES MODELS SECONDS SPEED START
//
// Every series reports once in each minute of stream time, which runs SPEED times as fast as the clock and begins at START
// (milliseconds). A decision is visible when a consumer of the decisions topic has it; its delay counts from the call
// that sent the last of the first records at or behind the boundary, one in each partition. Prints one line of JSON.
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { minute = 60000, boundaries_max = 10000, delays_max = 1000000 };

// When boundary number n after START was crossed; in nanoseconds.
static _Atomic int64_t crossed[boundaries_max];
static double delays[delays_max];
static atomic_long delay_count;
static atomic_bool is_done;
static const char *address;
static long start_time;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void set(rd_kafka_conf_t *configuration, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(configuration, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "paced: %s\n", why);
        exit(1);
    }
}

static rd_kafka_t *make(rd_kafka_type_t type, rd_kafka_conf_t *configuration) {
    char why[512];
    set(configuration, "bootstrap.servers", address);
    rd_kafka_t *client = rd_kafka_new(type, configuration, why, sizeof why);
    if (client == NULL) {
        fprintf(stderr, "paced: %s\n", why);
        exit(1);
    }
    return client;
}

static void note(const char *json, size_t count) {
    // "decision_id":"MODEL@BOUNDARY"
    const char *id = memmem(json, count, "\"decision_id\":\"", 15);
    if (id == NULL) { return; }
    const char *at = memchr(id, '@', count - (size_t)(id - json));
    if (at == NULL) { return; }
    const long number = (strtol(at + 1, NULL, 10) - start_time) / minute;
    if (number < 0 || number >= boundaries_max) { return; }
    const int64_t sent = atomic_load(&crossed[number]);
    const long index = atomic_load(&delay_count);
    if (sent != 0 && index < delays_max) {
        delays[index] = (double)(now() - sent) / 1e6;
        atomic_store(&delay_count, index + 1);
    }
}

static void *read_decisions(void *ignored) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    set(configuration, "group.id", "paced");
    set(configuration, "fetch.wait.max.ms", "1");
    rd_kafka_t *client = make(RD_KAFKA_CONSUMER, configuration);
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "retraining-decisions", 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (!atomic_load(&is_done)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 100);
        if (message == NULL) { continue; }
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) { note(message->payload, message->len); }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return ignored;
}

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double percentile(double share) {
    const long count = atomic_load(&delay_count);
    return count == 0 ? -1 : delays[(long)(share * (double)(count - 1))];
}

int main(int count, char **arguments) {
    if (count != 8) {
        fprintf(stderr, "usage: paced ADDRESS PARTITIONS SERIES MODELS SECONDS SPEED START\n");
        return 2;
    }
    address = arguments[1];
    const long partitions = atol(arguments[2]), series = atol(arguments[3]), models = atol(arguments[4]);
    const long duration = atol(arguments[5]), speed = atol(arguments[6]);
    start_time = atol(arguments[7]);
    pthread_t reader;
    pthread_create(&reader, NULL, read_decisions, NULL);
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    set(configuration, "linger.ms", "10");
    set(configuration, "queue.buffering.max.messages", "1000000");
    rd_kafka_t *client = make(RD_KAFKA_PRODUCER, configuration);
    rd_kafka_topic_t *predictions = rd_kafka_topic_new(client, "predictions", NULL);
    rd_kafka_topic_t *actuals = rd_kafka_topic_new(client, "actuals", NULL);
    const int64_t began = now();
    long sent = 0, last_boundary = 0;
    char text[512];
    while (now() - began < duration * INT64_C(1000000000)) {
        // As many as are due by now, a record of each topic at a time.
        const double minutes = (double)(now() - began) / 1e6 * (double)speed / minute;
        const long due = (long)(minutes * (double)series);
        for (; sent < due; ++sent) {
            const long entity = sent % series, model = entity % models;
            const long time = start_time + sent * minute / series;
            const int32_t partition = (int32_t)(entity % partitions);
            for (int kind = 0; kind < 2; ++kind) {
                const double value = 40.0 + (double)((uint64_t)(sent + kind * 77) * 2654435761u % 1000) / 100.0;
                const long at = kind == 0 ? time + 10 * minute : time;
                const int length = sprintf(
                    text, "{\"model\":\"tft-%ld\",\"entity\":\"srv-%05ld\",\"at\":%ld,\"values\":{\"cpu_user_pct\":%.2f}}",
                    model, entity, at, value);
                rd_kafka_producev(client, RD_KAFKA_V_RKT(kind == 0 ? predictions : actuals),
                                  RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_VALUE(text, (size_t)length),
                                  RD_KAFKA_V_TIMESTAMP(time), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                  RD_KAFKA_V_END);
            }
            // The boundary is due when each partition has got there.
            const long boundary = (time - start_time) / minute;
            if (boundary > last_boundary && sent % series >= partitions) {
                last_boundary = boundary;
                if (boundary < boundaries_max) { atomic_store(&crossed[boundary], now()); }
            }
        }
        rd_kafka_poll(client, 1);
    }
    rd_kafka_flush(client, 30000);
    struct timespec rest = {2, 0};
    nanosleep(&rest, NULL);
    atomic_store(&is_done, 1);
    pthread_join(reader, NULL);
    const long found = atomic_load(&delay_count);
    qsort(delays, (size_t)found, sizeof delays[0], ascending);
    printf("{\"sent\":%ld,\"decisions\":%ld,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n", 2 * sent, found,
           percentile(0.5), percentile(0.9), percentile(0.99), percentile(1));
    rd_kafka_topic_destroy(predictions);
    rd_kafka_topic_destroy(actuals);
    rd_kafka_destroy(client);
    return 0;
}
