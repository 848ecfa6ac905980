/* The snapshot protocol of Sources/RingBuffers/SlidingWindowStorage.swift, for spin (spinroot.com): one writer that
 * appends, replaces and empties, one reader that copies. `scripts/models` runs it.
 *
 * Elements are numbered from 1 in the order in which they are written, two words each; element i lies in slot i mod SLOTS.
 * The capacity is 2, the ring one slot larger. The names W1 to W4 and R1 to R4 are those of the source.
 *
 * Memory ordering. Spin interleaves steps that all take effect at once. What the hardware may do beyond that is put in by
 * hand: the word stores of a batch (W3) happen in any order among themselves, and so do the word loads of a copy (R2);
 * the fences W2 and R3, the releasing store W4 and the acquiring load R1 keep them where they are. That R2 reads nothing
 * older than what R1 saw is coherence, and holds by the argument in the source.
 *
 * Each of WITHOUT_BEGUN, ONE_SLOT_TOO_LATE and PUBLISHED_FIRST breaks the protocol; spin must find a torn snapshot then.
 */
#define CAPACITY 2
#define SLOTS 3
#define WORDS 2
#ifndef WRITES
#define WRITES 7
#endif

byte word[6];
byte begun = 0;
/* One atomic word in the source: written and read in one step here too. */
byte published_end = 0;
byte published_count = 0;

byte end = 0;
byte count = 0;

inline publish() {
    d_step {
        published_end = end;
        published_count = count;
    }
}

/* Writes `batch` elements behind `end`; the content is then `kept` old ones, as far as they fit, and these. */
inline write(batch, kept) {
#ifndef WITHOUT_BEGUN
    begun = end + batch; /* W1, W2 */
#endif
#ifdef PUBLISHED_FIRST
    d_step {
        published_end = end + batch;
        published_count = (kept + batch > CAPACITY -> CAPACITY : kept + batch);
    }
#endif
    todo = (1 << (batch * WORDS)) - 1;
    do /* W3, in any order */
    :: todo & 1 -> d_step { word[((end + 1) % SLOTS) * WORDS] = end + 1; todo = todo - 1 }
    :: todo & 2 -> d_step { word[((end + 1) % SLOTS) * WORDS + 1] = end + 1; todo = todo - 2 }
    :: todo & 4 -> d_step { word[((end + 2) % SLOTS) * WORDS] = end + 2; todo = todo - 4 }
    :: todo & 8 -> d_step { word[((end + 2) % SLOTS) * WORDS + 1] = end + 2; todo = todo - 8 }
    :: todo == 0 -> break
    od;
    skip; /* spin lets no break lead into a d_step */
    d_step {
        end = end + batch;
        count = (kept + batch > CAPACITY -> CAPACITY : kept + batch);
    }
    publish() /* W4 */
}

active proctype Writer() {
    byte todo;
    do
    :: end + 1 <= WRITES -> write(1, count)
    :: end + 2 <= WRITES -> write(2, count)
    :: end + 2 <= WRITES -> write(2, 0) /* replaceAll */
    :: count > 0 -> count = count - 1; publish() /* removeFirst */
    :: count > 0 -> count = 0; publish() /* removeAll */
    :: break
    od
}

active proctype Reader() {
    byte copied[4];
    byte first, number, todo, attempts;
    do
    :: attempts < 2 ->
        d_step { /* R1 */
            number = published_count;
            first = published_end - published_count + 1;
            attempts++;
        }
        todo = (1 << (number * WORDS)) - 1;
        do /* R2, in any order */
        :: todo & 1 -> d_step { copied[0] = word[(first % SLOTS) * WORDS]; todo = todo - 1 }
        :: todo & 2 -> d_step { copied[1] = word[(first % SLOTS) * WORDS + 1]; todo = todo - 2 }
        :: todo & 4 -> d_step { copied[2] = word[((first + 1) % SLOTS) * WORDS]; todo = todo - 4 }
        :: todo & 8 -> d_step { copied[3] = word[((first + 1) % SLOTS) * WORDS + 1]; todo = todo - 8 }
        :: todo == 0 -> break
        od;
        /* R3, R4. The last element that may have been begun has the number `begun`; it shares its slot with the element
         * SLOTS before it, which must not be among those copied. */
        if
#ifdef ONE_SLOT_TOO_LATE
        :: begun <= first - 1 + SLOTS + 1 ->
#else
        :: begun <= first - 1 + SLOTS ->
#endif
            /* Valid: exactly the content that R1 saw, whole. */
            assert(number < 1 || (copied[0] == first && copied[1] == first));
            assert(number < 2 || (copied[2] == first + 1 && copied[3] == first + 1))
        :: else -> skip
        fi;
        skip;
        d_step { copied[0] = 0; copied[1] = 0; copied[2] = 0; copied[3] = 0; first = 0; number = 0 }
    :: else -> break
    od
}
