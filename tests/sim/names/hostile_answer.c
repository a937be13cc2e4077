/* The answers of the name server that answers in every wrong way.
 * SPDX-License-Identifier: MIT */
#include <arpa/nameser.h>
#include <ctype.h>
#include <resolv.h>
#include <string.h>

#include "hostile.h"

static void put(struct answer *answer, const void *bytes, size_t count)
{
    memcpy(answer->bytes + answer->length, bytes, count);
    answer->length += count;
}

static void count_up(struct answer *answer, size_t at)
{
    ns_put16(ns_get16(answer->bytes + at) + 1u, answer->bytes + at);
}

/* owner: NULL the name asked for, else text. */
static void put_record(struct answer *answer, const char *owner, int type, int class, const void *data,
                       size_t length, size_t said)
{
    uint8_t fixed[NS_RRFIXEDSZ] = {0}, packed[NS_MAXCDNAME];
    ns_put16((unsigned)type, fixed);
    ns_put16((unsigned)class, fixed + 2);
    ns_put32(60, fixed + 4);
    ns_put16((unsigned)said, fixed + 8);
    if (owner == NULL) {
        put(answer, "\xc0\x0c", 2);
    } else {
        int bytes = dn_comp(owner, packed, sizeof packed, NULL, NULL);
        put(answer, packed, (size_t)bytes);
    }
    put(answer, fixed, sizeof fixed);
    put(answer, data, length);
    count_up(answer, 6);
}

static void put_name(struct answer *answer, const char *owner, int type, int class, const char *target)
{
    uint8_t packed[NS_MAXCDNAME];
    int bytes = dn_comp(target, packed, sizeof packed, NULL, NULL);
    put_record(answer, owner, type, class, packed, (size_t)bytes, (size_t)bytes);
}

/* An address of the type that was asked for. */
void answer_address(struct answer *answer, const char *owner, int last)
{
    uint8_t v4[4] = {10, 0, (uint8_t)(last >> 8), (uint8_t)last};
    uint8_t v6[16] = {0xfd, [14] = (uint8_t)(last >> 8), (uint8_t)last};
    bool is_v4 = answer->question->type != ns_t_aaaa;
    put_record(answer, owner, is_v4 ? ns_t_a : ns_t_aaaa, ns_c_in, is_v4 ? v4 : v6, is_v4 ? 4 : 16,
               is_v4 ? 4 : 16);
}

void answer_begin(struct answer *answer, const struct question *question, const uint8_t *query,
                  uint8_t flags, uint8_t code)
{
    answer->length = 0;
    answer->question = question;
    put(answer, query, NS_HFIXEDSZ + question->bytes);
    answer->bytes[2] = flags;
    answer->bytes[3] = code;
    memset(answer->bytes + 6, 0, 6);
}

/* Answers about aliases; the target's address stands behind them. */
static void put_aliases(struct answer *answer, enum hostile_kind kind)
{
    switch (kind) {
    case KIND_ALIAS:
        put_name(answer, NULL, ns_t_cname, ns_c_in, "Real.test");
        answer_address(answer, "real.TEST", 7);
        break;
    case KIND_ALIAS_TWICE:
        put_name(answer, NULL, ns_t_cname, ns_c_in, "second.test");
        put_name(answer, "second.test", ns_t_cname, ns_c_in, "third.test");
        answer_address(answer, "third.test", 7);
        answer_address(answer, "third.test", 8);
        break;
    case KIND_ALIAS_RING:
        put_name(answer, NULL, ns_t_cname, ns_c_in, "second.test");
        put_name(answer, "second.test", ns_t_cname, ns_c_in, answer->question->name);
        answer_address(answer, NULL, 7);
        break;
    case KIND_ALIAS_ONLY:
        put_name(answer, NULL, ns_t_cname, ns_c_in, "second.test");
        break;
    case KIND_ALIAS_AFTER:
        answer_address(answer, NULL, 7);
        put_name(answer, NULL, ns_t_cname, ns_c_in, "second.test");
        answer_address(answer, "second.test", 8);
        break;
    case KIND_ALIAS_LOOPED:
        put_record(answer, NULL, ns_t_cname, ns_c_in, "\xc0\xff", 2, 2);
        answer_address(answer, NULL, 7);
        break;
    case KIND_ALIAS_ODD:
        put_name(answer, NULL, ns_t_cname, ns_c_in, "no host.test");
        answer_address(answer, "no host.test", 7);
        break;
    case KIND_ALIAS_OF_OTHER:
        put_name(answer, "stranger.test", ns_t_cname, ns_c_in, "second.test");
        answer_address(answer, "second.test", 7);
        break;
    default: /* KIND_ALIAS_CLASS */
        put_name(answer, NULL, ns_t_cname, 3, "second.test");
        answer_address(answer, NULL, 7);
        break;
    }
}

static void put_pointers(struct answer *answer, enum hostile_kind kind)
{
    switch (kind) {
    case KIND_POINTER:
        put_name(answer, NULL, ns_t_ptr, ns_c_in, "Named.test");
        break;
    case KIND_POINTER_ODD:
        put_name(answer, NULL, ns_t_ptr, ns_c_in, "no host.test");
        put_name(answer, NULL, ns_t_ptr, ns_c_in, "named.test");
        break;
    case KIND_POINTER_ALIAS:
        put_name(answer, NULL, ns_t_cname, ns_c_in, "7.0-15.10.in-addr.arpa");
        put_name(answer, "7.0-15.10.in-addr.arpa", ns_t_ptr, ns_c_in, "named.test");
        break;
    case KIND_POINTER_SECOND:
        put_name(answer, NULL, ns_t_ptr, ns_c_in, "named.test");
        put_name(answer, NULL, ns_t_ptr, ns_c_in, "second.test");
        break;
    default: /* KIND_POINTER_OTHER */
        put_name(answer, "1.1.1.1.in-addr.arpa", ns_t_ptr, ns_c_in, "named.test");
        break;
    }
}

/* Records of wrong form. */
static void put_wrong(struct answer *answer, enum hostile_kind kind)
{
    const uint8_t *bytes = (const uint8_t *)"\n\0\0\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    bool is_v4 = answer->question->type != ns_t_aaaa;
    int type = answer->question->type;
    size_t right = is_v4 ? 4 : 16;
    switch (kind) {
    case KIND_CUT:
        answer_address(answer, NULL, 7);
        answer->length -= 2;
        break;
    case KIND_CUT_HEAD:
        answer_address(answer, NULL, 7);
        answer->length -= right + 3;
        break;
    case KIND_LONG_ADDRESS:
        put_record(answer, NULL, type, ns_c_in, bytes, right + 1, right + 1);
        break;
    case KIND_SHORT_ADDRESS:
        put_record(answer, NULL, type, ns_c_in, bytes, right - 1, right - 1);
        break;
    case KIND_LONG_AND_GOOD:
        put_record(answer, NULL, type, ns_c_in, bytes, right + 1, right + 1);
        answer_address(answer, NULL, 8);
        break;
    case KIND_LOOPED_OWNER: {
        uint8_t loop[2] = {0xc0, (uint8_t)answer->length};
        answer_address(answer, NULL, 7);
        memcpy(answer->bytes + answer->length - right - NS_RRFIXEDSZ - 2, loop, 2);
        break;
    }
    case KIND_OTHER_CLASS:
        put_record(answer, NULL, type, 3, bytes, right, right);
        break;
    case KIND_OTHER_TYPE:
        put_record(answer, NULL, is_v4 ? ns_t_aaaa : ns_t_a, ns_c_in, bytes, is_v4 ? 16 : 4,
                   is_v4 ? 16 : 4);
        break;
    case KIND_OTHER_OWNER:
        answer_address(answer, "stranger.test", 7);
        break;
    case KIND_OWNER_IN_CAPITALS: {
        char name[NS_MAXDNAME];
        for (size_t i = 0; i <= strlen(answer->question->name); i++) {
            name[i] = (char)toupper((unsigned char)answer->question->name[i]);
        }
        answer_address(answer, name, 7);
        break;
    }
    case KIND_MORE_ANNOUNCED:
        answer_address(answer, NULL, 7);
        count_up(answer, 6);
        break;
    case KIND_FEWER_ANNOUNCED:
        answer_address(answer, NULL, 7);
        answer_address(answer, NULL, 8);
        ns_put16(1, answer->bytes + 6);
        break;
    case KIND_TRAILING:
        answer_address(answer, NULL, 7);
        put(answer, "garbage", 7);
        break;
    default: { /* KIND_SECTIONS: the address stands in the additional section alone */
        answer_address(answer, NULL, 7);
        ns_put16(0, answer->bytes + 6);
        count_up(answer, 10);
        break;
    }
    }
}

/* The body of what is no matter of the transport. */
static void put_body(struct answer *answer, enum hostile_kind kind)
{
    if (kind >= KIND_ALIAS && kind <= KIND_ALIAS_CLASS) {
        put_aliases(answer, kind);
    } else if (kind >= KIND_POINTER && kind <= KIND_POINTER_OTHER) {
        put_pointers(answer, kind);
    } else if (kind >= KIND_CUT && kind <= KIND_SECTIONS) {
        put_wrong(answer, kind);
    } else if (kind == KIND_NXDOMAIN_ALIAS) {
        put_name(answer, NULL, ns_t_cname, ns_c_in, "second.test");
    } else if (kind == KIND_TWO) {
        answer_address(answer, NULL, 7);
        answer_address(answer, NULL, 8);
    } else if (kind >= KIND_TCP_SIXTY && kind <= KIND_TCP_NUMBER) {
        int most = kind == KIND_TCP_SIXTY      ? 60
                   : kind == KIND_TCP_THOUSAND ? 1000
                                               : answer->question->number;
        for (int i = 0; i < most; i++) {
            answer_address(answer, NULL, i);
        }
    } else {
        answer_address(answer, NULL, 7);
    }
}

static uint8_t code_of(enum hostile_kind kind)
{
    switch (kind) {
    case KIND_NXDOMAIN:
    case KIND_NXDOMAIN_ANSWER:
    case KIND_NXDOMAIN_ALIAS:
        return ns_r_nxdomain;
    case KIND_SERVFAIL:
    case KIND_SERVFAIL_ANSWER:
    case KIND_TCP_SERVFAIL:
        return ns_r_servfail;
    case KIND_REFUSED:
        return ns_r_refused;
    case KIND_NOTIMP:
        return ns_r_notimpl;
    case KIND_FORMERR:
        return ns_r_formerr;
    case KIND_RCODE_11:
        return 11;
    default:
        return ns_r_noerror;
    }
}

static bool has_body(enum hostile_kind kind)
{
    switch (kind) {
    case KIND_NODATA:
    case KIND_NXDOMAIN:
    case KIND_SERVFAIL:
    case KIND_REFUSED:
    case KIND_NOTIMP:
    case KIND_FORMERR:
    case KIND_RCODE_11:
    case KIND_LAME:
    case KIND_ECHO_QUESTION:
    case KIND_SHORT:
    case KIND_HEAD_ONLY:
    case KIND_EMPTY:
    case KIND_TCP_SERVFAIL:
        return false;
    default:
        return true;
    }
}

void answer_make(struct answer *answer, const struct question *question, const uint8_t *query,
                 enum hostile_kind kind)
{
    bool lame = kind == KIND_LAME || kind == KIND_ECHO_QUESTION;
    uint8_t flags = kind == KIND_ECHO_QUESTION || kind == KIND_NOT_A_RESPONSE ? 0x01 : 0x81;
    answer_begin(answer, question, query, flags, (uint8_t)((lame ? 0 : 0x80) | code_of(kind)));
    if (kind == KIND_NO_QUESTION) {
        answer->length = NS_HFIXEDSZ;
        ns_put16(0, answer->bytes + 4);
        answer_address(answer, question->name, 7);
        return;
    }
    if (kind == KIND_TWO_QUESTIONS) {
        put(answer, query + NS_HFIXEDSZ, question->bytes);
        ns_put16(2, answer->bytes + 4);
    }
    if (has_body(kind)) {
        put_body(answer, kind);
    }
    if (kind == KIND_LOOPED_QUESTION) {
        memcpy(answer->bytes + NS_HFIXEDSZ, "\xc0\x0c", 2);
    }
    if (kind == KIND_SHORT || kind == KIND_HEAD_ONLY || kind == KIND_EMPTY) {
        answer->length = kind == KIND_SHORT ? 5 : kind == KIND_EMPTY ? 0 : NS_HFIXEDSZ;
    }
}
