// Writes the records that everyone in the end-to-end measurement reads: predictions and, a quarter of an hour of stream
// time later, their actuals. Some fields of each are of no interest to anybody, as in real topics.
//
//     records ADDRESS PARTITIONS SERIES MODELS METRICS MESSAGES CODEC START
//
// A series is an entity; entity e belongs to model e mod MODELS and to partition e mod PARTITIONS; where there are fewer
// series than partitions, they are spread. Time only goes forward in a partition. 50 000 entities report every ten minutes, 5 000 every minute, and so on: the number of
// messages in an interval does not depend on the number of series. START is the first record's time in milliseconds.
// Prints one line of JSON.
#include <librdkafka/rdkafka.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char buffer[4096];

static uint64_t mixed(uint64_t value) {
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

static double uniform(uint64_t seed) { return (double)(mixed(seed) >> 11) * 0x1p-53; }

// What really happens to a metric of an entity at a time: a cycle of a day, and noise.
static double truth(long entity, long metric, long at) {
    const double day = sin(6.283185307179586 * (double)(at % 86400000) / 86400000.0);
    const uint64_t seed = mixed((uint64_t)entity * 31 + (uint64_t)metric) ^ (uint64_t)at;
    return 45.0 + 15.0 * day + 20.0 * uniform(seed);
}

static int values(char *out, long entity, long metrics, long at, double error) {
    static const char *const names[] = {"cpu_user_pct", "cpu_sys_pct",  "mem_used_pct", "swap_used_pct", "disk_read_mb",
                                        "disk_write_mb", "net_in_mb",   "net_out_mb",   "load_1m",       "load_5m",
                                        "open_files",    "tcp_sessions", "gc_pause_ms", "queue_depth"};
    int length = sprintf(out, "\"values\":{");
    for (long metric = 0; metric < metrics; ++metric) {
        const double noise = error * (uniform((uint64_t)at * 7 + (uint64_t)(entity * 17 + metric)) - 0.5);
        length += sprintf(out + length, "%s\"%s\":%.2f", metric == 0 ? "" : ",", names[metric],
                          truth(entity, metric, at) * (1 + noise));
    }
    return length + sprintf(out + length, "}");
}

static int prediction(long number, long entity, long model, long metrics, long issued, long at) {
    int length = sprintf(buffer,
                         "{\"id\":\"%016lx\",\"model\":\"tft-%ld\",\"model_version\":\"2025-10-17\",\"entity\":\"srv-%05ld\","
                         "\"at\":%ld,\"issued_at\":%ld,",
                         number, model, entity, at, issued);
    length += values(buffer + length, entity, metrics, at, 0.2);
    return length + sprintf(buffer + length, ",\"schema\":\"prediction/1\",\"features\":{\"hour\":%ld,\"dow\":%ld,\"lag1\":%.4f},"
                                             "\"source\":\"edge-%02ld\"}",
                            issued / 3600000 % 24, issued / 86400000 % 7, truth(entity, 0, issued), number % 16);
}

static int actual(long number, long entity, long model, long metrics, long at) {
    int length = sprintf(buffer, "{\"id\":\"%016lx\",\"model\":\"tft-%ld\",\"entity\":\"srv-%05ld\",\"at\":%ld,", number,
                         model, entity, at);
    length += values(buffer + length, entity, metrics, at, 0);
    return length + sprintf(buffer + length, ",\"quality\":\"good\",\"host\":{\"zone\":\"eu-west-1%c\",\"rack\":\"r%02ld\","
                                             "\"kernel\":\"6.1.0-18-amd64\"},\"collector\":\"agent-%02ld\",\"seq\":%ld}",
                            (char)('a' + entity % 3), entity % 40, number % 16, number);
}

static void set(rd_kafka_conf_t *configuration, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(configuration, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "records: %s\n", why);
        exit(1);
    }
}

static void produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition, long timestamp, int length) {
    while (rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_VALUE(buffer, (size_t)length), RD_KAFKA_V_TIMESTAMP(timestamp),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_poll(client, 10);
    }
}

static long kept(rd_kafka_t *client, const char *topic, long partitions) {
    long sum = 0;
    for (int32_t partition = 0; partition < partitions; ++partition) {
        int64_t low = 0, high = 0;
        rd_kafka_query_watermark_offsets(client, topic, partition, &low, &high, 10000);
        sum += high - low;
    }
    return sum;
}

int main(int count, char **arguments) {
    if (count != 9) {
        fprintf(stderr, "usage: records ADDRESS PARTITIONS SERIES MODELS METRICS MESSAGES CODEC START\n");
        return 2;
    }
    const long partitions = atol(arguments[2]), series = atol(arguments[3]), models = atol(arguments[4]);
    const long metrics = atol(arguments[5]), messages = atol(arguments[6]), start = atol(arguments[8]);
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    set(configuration, "bootstrap.servers", arguments[1]);
    set(configuration, "compression.codec", arguments[7]);
    set(configuration, "queue.buffering.max.messages", "1000000");
    set(configuration, "linger.ms", "50");
    set(configuration, "batch.num.messages", "10000");
    char why[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, why, sizeof why);
    if (client == NULL) {
        fprintf(stderr, "records: %s\n", why);
        return 1;
    }
    rd_kafka_topic_t *predictions = rd_kafka_topic_new(client, "predictions", NULL);
    rd_kafka_topic_t *actuals = rd_kafka_topic_new(client, "actuals", NULL);
    // 5000 series a minute. A quarter of an hour ahead, rounded to the series' own grid, so that an actual comes for it.
    const long step = 12, interval = step * series;
    const long horizon = (900000 / interval > 0 ? 900000 / interval : 1) * interval;
    long bytes = 0, last = start;
    for (long number = 0; number < messages / 2; ++number) {
        const long entity = number % series, model = entity % models;
        const long time = start + number * step;
        const int32_t partition = (int32_t)((series < partitions ? number : entity) % partitions);
        const int first = prediction(number, entity, model, metrics, time, time + horizon);
        produce(client, predictions, partition, time, first);
        const int second = actual(number, entity, model, metrics, time);
        produce(client, actuals, partition, time, second);
        bytes += first + second;
        last = time;
        if (number % 1024 == 0) { rd_kafka_poll(client, 0); }
    }
    rd_kafka_flush(client, 120000);
    const long held = kept(client, "predictions", partitions) + kept(client, "actuals", partitions);
    printf("{\"messages\":%ld,\"kept\":%ld,\"bytes\":%ld,\"last\":%ld}\n", messages / 2 * 2, held, bytes, last);
    rd_kafka_topic_destroy(predictions);
    rd_kafka_topic_destroy(actuals);
    rd_kafka_destroy(client);
    return held == messages / 2 * 2 ? 0 : 3;
}
