// The floor of the end-to-end measurement: reads records with librdkafka's batch call and throws them away.
//
//     bare_loop ADDRESS MESSAGES TOPIC:PARTITIONS…
//
// Prints one line of JSON: messages, bytes, seconds, and CPU seconds of all threads and of this one alone. Its settings
// are those of driftgate's consumer.
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { batch = 1000 };

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void set(rd_kafka_conf_t *configuration, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(configuration, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "bare_loop: %s\n", why);
        exit(1);
    }
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: bare_loop ADDRESS MESSAGES TOPIC:PARTITIONS...\n");
        return 2;
    }
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    set(configuration, "bootstrap.servers", arguments[1]);
    set(configuration, "group.id", "bare-loop");
    set(configuration, "enable.auto.commit", "false");
    set(configuration, "fetch.wait.max.ms", "10");
    set(configuration, "queued.min.messages", "1000000");
    set(configuration, "queued.max.messages.kbytes", "65536");
    const long wanted = atol(arguments[2]);
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(64);
    for (int index = 3; index < count; ++index) {
        char *colon = strchr(arguments[index], ':');
        if (colon == NULL) { return 2; }
        *colon = '\0';
        for (int partition = 0; partition < atoi(colon + 1); ++partition) {
            rd_kafka_topic_partition_list_add(partitions, arguments[index], partition)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
        }
    }
    char why[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, why, sizeof why);
    if (client == NULL) {
        fprintf(stderr, "bare_loop: %s\n", why);
        return 1;
    }
    rd_kafka_poll_set_consumer(client);
    const double wall = seconds(CLOCK_MONOTONIC);
    const double process = seconds(CLOCK_PROCESS_CPUTIME_ID);
    const double thread = seconds(CLOCK_THREAD_CPUTIME_ID);
    rd_kafka_assign(client, partitions);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    rd_kafka_message_t *messages[batch];
    long got = 0;
    size_t bytes = 0;
    double last = seconds(CLOCK_MONOTONIC);
    while (got < wanted) {
        const ssize_t received = rd_kafka_consume_batch_queue(queue, 200, messages, batch);
        for (ssize_t index = 0; index < received; ++index) {
            if (messages[index]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                ++got;
                bytes += messages[index]->len;
            }
            rd_kafka_message_destroy(messages[index]);
        }
        const double now = seconds(CLOCK_MONOTONIC);
        if (received > 0) { last = now; }
        if (now - last > 10) {
            fprintf(stderr, "bare_loop: nothing came for 10 s after %ld of %ld messages\n", got, wanted);
            return 1;
        }
    }
    const double all = seconds(CLOCK_PROCESS_CPUTIME_ID) - process;
    printf("{\"messages\":%ld,\"bytes\":%zu,\"seconds\":%.6f,\"cpu\":%.6f,\"own_cpu\":%.6f}\n", got, bytes,
           seconds(CLOCK_MONOTONIC) - wall, all, seconds(CLOCK_THREAD_CPUTIME_ID) - thread);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return 0;
}
