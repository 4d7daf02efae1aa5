/* A RADIUS client that is faster than any server: Access-Requests over loopback, every reply's seals checked.
 *
 *     load --to PORT --from 127.20.0.1 --secret S --user U --password P --outstanding 64 --seconds 5
 *     load ... --flood right|wrong-password|wrong-seal|garbage      sends as fast as it can, waiting for nobody
 *
 * PAP (RFC 2865 5.2) with Message-Authenticator (RFC 3579 3.2), a fresh Request Authenticator each time. What
 * is lost is sent again, the same octets; what stays lost is counted. One line of JSON at the end. Nothing but
 * libc is needed: MD5 is below.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- MD5 (RFC 1321 3) and HMAC-MD5 (RFC 2104) ------------------------------------------------------------ */

typedef struct { uint32_t state[4]; uint64_t octets; uint8_t rest[64]; } md5;

static uint32_t sines[64];
static const uint8_t turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static void md5_block(uint32_t state[4], const uint8_t *block)
{
    uint32_t word[16], a = state[0], b = state[1], c = state[2], d = state[3];
    memcpy(word, block, 64); /* little-endian, as this machine is: main() looks */
    for (int i = 0; i < 64; i++) {
        uint32_t mixed;
        int k;
        switch (i / 16) {
        case 0: mixed = (b & c) | (~b & d); k = i; break;
        case 1: mixed = (b & d) | (c & ~d); k = (5 * i + 1) % 16; break;
        case 2: mixed = b ^ c ^ d; k = (3 * i + 5) % 16; break;
        default: mixed = c ^ (b | ~d); k = 7 * i % 16;
        }
        uint32_t sum = a + mixed + word[k] + sines[i];
        int by = turns[i / 16][i % 4];
        a = d, d = c, c = b;
        b += sum << by | sum >> (32 - by);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

static void md5_begin(md5 *sum)
{
    *sum = (md5){{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}, 0, {0}};
}

static void md5_add(md5 *sum, const void *octets, size_t length)
{
    const uint8_t *from = octets;
    while (length) {
        size_t at = sum->octets % 64, take = 64 - at < length ? 64 - at : length;
        memcpy(sum->rest + at, from, take);
        sum->octets += take, from += take, length -= take;
        if (sum->octets % 64 == 0)
            md5_block(sum->state, sum->rest);
    }
}

static void md5_end(md5 *sum, uint8_t digest[16])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = sum->octets * 8;
    md5_add(sum, padding, 1 + (119 - sum->octets % 64) % 64);
    md5_add(sum, &bits, 8);
    memcpy(digest, sum->state, 16);
}

static md5 hmac_inner, hmac_outer, secret_first;
static const char *secret;

static void use_secret(const char *text)
{
    uint8_t inner[64], outer[64];
    secret = text;
    for (size_t i = 0; i < 64; i++) {
        uint8_t octet = i < strlen(secret) ? (uint8_t)secret[i] : 0;
        inner[i] = octet ^ 0x36, outer[i] = octet ^ 0x5c;
    }
    md5_begin(&hmac_inner), md5_add(&hmac_inner, inner, 64);
    md5_begin(&hmac_outer), md5_add(&hmac_outer, outer, 64);
    md5_begin(&secret_first), md5_add(&secret_first, secret, strlen(secret));
}

static void hmac(const uint8_t *octets, size_t length, uint8_t digest[16])
{
    md5 inner = hmac_inner, outer = hmac_outer;
    md5_add(&inner, octets, length), md5_end(&inner, digest);
    md5_add(&outer, digest, 16), md5_end(&outer, digest);
}

/* --- packets ---------------------------------------------------------------------------------------------- */

enum { IDENTIFIERS = 128 /* in use on one port; a server warns at 200 */, MOST_PORTS = 512, SIGNATURE_AT = 22 };

typedef struct {
    uint8_t packet[256];
    int length, tries, waiting;
    double begun, sent;
} slot; /* one Identifier of one port */

static uint64_t random_state;

static uint64_t dice(void)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
    return random_state;
}

static uint8_t *put(uint8_t *at, int type, const void *value, size_t length)
{
    at[0] = (uint8_t)type, at[1] = (uint8_t)(length + 2);
    memcpy(at + 2, value, length);
    return at + 2 + length;
}

static void hide(uint8_t *hidden, const char *password, int length, const uint8_t *authenticator)
{
    const uint8_t *before = authenticator;
    for (int at = 0; at < length; at += 16) {
        uint8_t mask[16];
        md5 sum = secret_first;
        md5_add(&sum, before, 16), md5_end(&sum, mask);
        for (int i = 0; i < 16; i++)
            hidden[at + i] = mask[i] ^ (uint8_t)password[at + i];
        before = hidden + at;
    }
}

static void build(slot *made, int identifier, const char *user, const char *password)
{
    uint8_t *packet = made->packet, hidden[128], *end = packet + 20;
    static const uint8_t zeros[16], here[4] = {127, 0, 0, 1};
    char padded[128] = {0};
    int rounded = ((int)strlen(password) + 15) / 16 * 16;
    uint64_t fresh[2] = {dice(), dice()};
    packet[0] = 1, packet[1] = (uint8_t)identifier;
    memcpy(packet + 4, fresh, 16);
    memcpy(padded, password, strlen(password));
    hide(hidden, padded, rounded, packet + 4);
    end = put(end, 80, zeros, 16); /* its value begins at SIGNATURE_AT */
    end = put(end, 1, user, strlen(user));
    end = put(end, 2, hidden, (size_t)rounded);
    end = put(end, 4, here, 4);
    end = put(end, 32, "benchmark", 9);
    end = put(end, 31, "203.0.113.7", 11);
    made->length = (int)(end - packet);
    packet[2] = 0, packet[3] = (uint8_t)made->length;
    uint8_t signature[16];
    hmac(packet, (size_t)made->length, signature);
    memcpy(packet + SIGNATURE_AT, signature, 16);
}

/* Both seals of a reply, which is changed on the way. */
static int sealed(const slot *asked, uint8_t *reply, int length)
{
    uint8_t sent[16], expected[16], authenticator[16];
    int at = 20, found = 0;
    if (length < 20 || (reply[2] << 8 | reply[3]) != length)
        return 0;
    memcpy(authenticator, reply + 4, 16);
    memcpy(reply + 4, asked->packet + 4, 16);
    md5 sum;
    md5_begin(&sum), md5_add(&sum, reply, (size_t)length), md5_add(&sum, secret, strlen(secret));
    md5_end(&sum, expected);
    if (memcmp(authenticator, expected, 16))
        return 0;
    while (at + 2 <= length && reply[at + 1] >= 2 && at + reply[at + 1] <= length) {
        if (reply[at] == 80 && reply[at + 1] == 18) {
            memcpy(sent, reply + at + 2, 16), memset(reply + at + 2, 0, 16);
            found++;
        }
        at += reply[at + 1];
    }
    if (found != 1 || at != length)
        return 0;
    hmac(reply, (size_t)length, expected);
    return !memcmp(sent, expected, 16);
}

/* --- the load ----------------------------------------------------------------------------------------------- */

static const char *user = "", *password = "", *flood;
static int ports, outstanding = 1, most_tries = 5;
static double seconds = 1, patience = 1;
static struct pollfd sockets[MOST_PORTS];
static slot *slots;
static long begun, sent, accepts, rejects, others, forged, again, lost;
static double *took;
static size_t measured, room;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}

static void open_sockets(const char *from, int to)
{
    struct sockaddr_in source = {.sin_family = AF_INET}, server = {.sin_family = AF_INET};
    int large = 4 << 20;
    if (inet_pton(AF_INET, from, &source.sin_addr) != 1 || ntohl(source.sin_addr.s_addr) >> 24 != 127)
        die("only from 127/8, to 127.0.0.1: this is no weapon");
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK), server.sin_port = htons((uint16_t)to);
    for (int i = 0; i < ports; i++) {
        int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(made, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
        if (made < 0 || bind(made, (void *)&source, sizeof source) || connect(made, (void *)&server, sizeof server))
            die("no socket");
        sockets[i] = (struct pollfd){made, POLLIN, 0};
    }
}

static void transmit(slot *one, int port, double at)
{
    one->sent = at, one->tries++;
    if (send(sockets[port].fd, one->packet, (size_t)one->length, 0) >= 0)
        sent++;
}

static void remember(double latency)
{
    if (measured == room && !(took = realloc(took, (room = room ? room * 2 : 65536) * sizeof *took)))
        die("no memory");
    took[measured++] = latency;
}

/* How many requests it ended. */
static int receive(int port)
{
    uint8_t reply[4096];
    int ended = 0;
    ssize_t length;
    while ((length = recv(sockets[port].fd, reply, sizeof reply, 0)) >= 0) {
        slot *one = length < 20 ? NULL : &slots[port * 256 + reply[1]];
        if (!one || !one->waiting)
            continue; /* late, or for a request given up */
        uint8_t code = reply[0];
        if (!sealed(one, reply, (int)length)) {
            forged++;
            continue;
        }
        one->waiting = 0, ended++;
        *(code == 2 ? &accepts : code == 3 ? &rejects : &others) += 1;
        remember(now() - one->begun);
    }
    return ended;
}

static int look_for_lost(double at)
{
    int ended = 0;
    for (int i = 0; i < ports * 256; i++) {
        slot *one = &slots[i];
        if (!one->waiting || at - one->sent < patience)
            continue;
        if (one->tries < most_tries)
            again++, transmit(one, i / 256, at);
        else
            one->waiting = 0, lost++, ended++;
    }
    return ended;
}

/* A steady number in flight: the next request leaves when one has its answer. */
static double ask(void)
{
    double start = now(), at = start, looked = start;
    int waiting = 0, next = 0;
    while (at - start < seconds || waiting) {
        while (at - start < seconds && waiting < outstanding) {
            int port = next % ports, identifier = next / ports % IDENTIFIERS;
            slot *one = &slots[port * 256 + identifier];
            next = (next + 1) % (ports * IDENTIFIERS);
            if (one->waiting)
                continue;
            build(one, identifier, user, password);
            one->begun = at = now(), one->tries = 0, one->waiting = 1;
            begun++, waiting++;
            transmit(one, port, at);
        }
        poll(sockets, (nfds_t)ports, 10);
        for (int i = 0; i < ports; i++)
            if (sockets[i].revents)
                waiting -= receive(i);
        at = now();
        if (at - looked > 0.01)
            looked = at, waiting -= look_for_lost(at);
    }
    return at - start;
}

static void build_for_flood(slot *one, int identifier)
{
    char wrong[32];
    snprintf(wrong, sizeof wrong, "wrong %llx", (unsigned long long)dice());
    build(one, identifier, user, strcmp(flood, "wrong-password") ? password : wrong);
    if (!strcmp(flood, "wrong-seal"))
        one->packet[SIGNATURE_AT] ^= 1;
    if (!strcmp(flood, "garbage"))
        for (int i = 0; i < one->length; i += 8) {
            uint64_t any = dice();
            memcpy(one->packet + i, &any, 8);
        }
}

/* As fast as it goes, waiting for nobody; an Identifier that comes round again is a new request. */
static double pour(void)
{
    double start = now(), at = start;
    for (unsigned next = 0; at - start < seconds; next++) {
        int port = (int)(next % (unsigned)ports), identifier = (int)(next / (unsigned)ports % 256);
        slot *one = &slots[port * 256 + identifier];
        build_for_flood(one, identifier);
        if (next % 16 == 0)
            at = now();
        one->begun = at, one->waiting = 1, begun++;
        transmit(one, port, at);
        if (next % 256 == 0)
            for (int i = 0; i < ports; i++)
                receive(i);
    }
    return at - start;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share(double part)
{
    return measured ? took[(size_t)(part * (double)(measured - 1))] * 1000 : 0;
}

static void tell(double elapsed)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    qsort(took, measured, sizeof *took, by_size);
    printf("{\"seconds\": %.6f, \"begun\": %ld, \"sent\": %ld, \"accepts\": %ld, \"rejects\": %ld, "
           "\"others\": %ld, \"forged\": %ld, \"again\": %ld, \"lost\": %ld, \"p50_ms\": %.4f, "
           "\"p99_ms\": %.4f, \"most_ms\": %.4f, \"cpu_seconds\": %.3f}\n",
           elapsed, begun, sent, accepts, rejects, others, forged, again, lost, share(0.5), share(0.99),
           share(1), cpu);
}

/* RFC 1321 A.5 and RFC 2202 2 (the second case of each that has text). */
static void check_md5(void)
{
    static const uint8_t abc[16] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                    0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    static const uint8_t jefe[16] = {0x75, 0x0c, 0x78, 0x3e, 0x6a, 0xb0, 0xb5, 0x03,
                                     0xea, 0xa8, 0x6e, 0x31, 0x0a, 0x5d, 0xb7, 0x38};
    uint8_t digest[16];
    md5 sum;
    for (int i = 0; i < 64; i++)
        sines[i] = (uint32_t)(fabs(sin(i + 1)) * 4294967296.0);
    md5_begin(&sum), md5_add(&sum, "abc", 3), md5_end(&sum, digest);
    if (memcmp(digest, abc, 16))
        die("MD5 is wrong on this machine");
    use_secret("Jefe"), hmac((const uint8_t *)"what do ya want for nothing?", 28, digest);
    if (memcmp(digest, jefe, 16))
        die("HMAC-MD5 is wrong on this machine");
}

int main(int count, char **words)
{
    static const struct option known[] = {
        {"to", 1, 0, 't'},       {"from", 1, 0, 'f'},        {"secret", 1, 0, 's'}, {"user", 1, 0, 'u'},
        {"password", 1, 0, 'p'}, {"outstanding", 1, 0, 'o'}, {"seconds", 1, 0, 'n'}, {"flood", 1, 0, 'x'},
        {"patience", 1, 0, 'w'}, {"tries", 1, 0, 'r'},       {0, 0, 0, 0}};
    const char *from = "127.0.0.1", *shared = "";
    int to = 0, found;
    while ((found = getopt_long(count, words, "", known, NULL)) != -1)
        switch (found) {
        case 't': to = atoi(optarg); break;
        case 'f': from = optarg; break;
        case 's': shared = optarg; break;
        case 'u': user = optarg; break;
        case 'p': password = optarg; break;
        case 'o': outstanding = atoi(optarg); break;
        case 'n': seconds = atof(optarg); break;
        case 'w': patience = atof(optarg); break;
        case 'r': most_tries = atoi(optarg); break;
        case 'x': flood = optarg; break;
        default: return 2;
        }
    check_md5();
    if (to < 1 || to > 65535 || !*shared || strlen(shared) > 64 || strlen(user) > 64 || !*password ||
        strlen(password) > 48 || outstanding < 1 || outstanding > MOST_PORTS * IDENTIFIERS)
        die("see the words at the top of load.c");
    use_secret(shared);
    if (getrandom(&random_state, sizeof random_state, 0) != sizeof random_state || !random_state)
        die("no random numbers");
    ports = flood ? 16 : outstanding / IDENTIFIERS + 4;
    if (ports > MOST_PORTS || !(slots = calloc((size_t)ports * 256, sizeof *slots)))
        die("too many outstanding");
    open_sockets(from, to);
    errno = 0;
    tell(flood ? pour() : ask());
    return 0;
}
