// librdkafka starts its threads by C11's thrd_create, which ThreadSanitizer does not know: a thread that it has not seen
// start ends the process as soon as it calls anything that it watches. Preloaded, this starts and joins them by POSIX.
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct start {
    thrd_start_t function;
    void *argument;
};

static void *run(void *given) {
    struct start start = *(struct start *)given;
    free(given);
    return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL) { return thrd_nomem; }
    *start = (struct start){function, argument};
    if (pthread_create(thread, NULL, run, start) == 0) { return thrd_success; }
    free(start);
    return thrd_error;
}

int thrd_join(thrd_t thread, int *result) {
    void *value;
    if (pthread_join(thread, &value) != 0) { return thrd_error; }
    if (result != NULL) { *result = (int)(intptr_t)value; }
    return thrd_success;
}
