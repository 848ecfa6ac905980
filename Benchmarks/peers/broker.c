// The broker of the end-to-end measurement: librdkafka's embedded one, in a process of its own so that its work is not
// counted as anybody's.
//
//     broker TOPIC:PARTITIONS…
//
// Prints its address on one line, and ends when standard input does.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    char why[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why);
    if (client == NULL) {
        fprintf(stderr, "broker: %s\n", why);
        return 1;
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    for (int index = 1; index < count; ++index) {
        char *colon = strchr(arguments[index], ':');
        if (colon == NULL) {
            fprintf(stderr, "broker: %s has no partition count\n", arguments[index]);
            return 2;
        }
        *colon = '\0';
        const rd_kafka_resp_err_t error =
            rd_kafka_mock_topic_create(cluster, arguments[index], atoi(colon + 1), 1);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fprintf(stderr, "broker: %s: %s\n", arguments[index], rd_kafka_err2str(error));
            return 1;
        }
    }
    puts(rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    while (getchar() != EOF) {}
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
    return 0;
}
