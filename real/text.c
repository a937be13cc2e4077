/* Converts a stream's text with iconv, character by character only where something is wrong.
 * SPDX-License-Identifier: MIT */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <strings.h>

enum {
    REPLACED_BYTES = 16, /* the longest that a handler writes for one character or byte */
};

/* Names that Python knows and iconv does not. */
static const struct {
    const char *python;
    const char *iconv;
} encoding_names[] = {
    {"utf", "UTF-8"},          {"u8", "UTF-8"},
    {"latin-1", "ISO-8859-1"}, {"iso8859-1", "ISO-8859-1"},
    {"8859", "ISO-8859-1"},    {"latin", "ISO-8859-1"},
    {"646", "ASCII"},          {"utf-16-le", "UTF-16LE"},
    {"utf-16-be", "UTF-16BE"}, {"utf-32-le", "UTF-32LE"},
    {"utf-32-be", "UTF-32BE"},
};

static const char *const error_names[] = {
    [TEXT_STRICT] = "strict",
    [TEXT_IGNORE] = "ignore",
    [TEXT_REPLACE] = "replace",
    [TEXT_BACKSLASHREPLACE] = "backslashreplace",
    [TEXT_SURROGATEESCAPE] = "surrogateescape",
    [TEXT_XMLCHARREFREPLACE] = "xmlcharrefreplace",
};

/* ---- setting up --------------------------------------------------------------------------- */

static const char *iconv_name(const char *encoding, char name[TEXT_NAME_BYTES])
{
    size_t length = 0;
    for (; encoding[length] != '\0' && length + 1 < TEXT_NAME_BYTES; length++) {
        char c = (char)tolower((unsigned char)encoding[length]);
        name[length] = c == '_' || c == ' ' ? '-' : c;
    }
    name[length] = '\0';
    for (size_t i = 0; i < sizeof encoding_names / sizeof *encoding_names; i++) {
        if (strcmp(name, encoding_names[i].python) == 0) {
            return encoding_names[i].iconv;
        }
    }
    /* "//TRANSLIT" and its like are iconv's own and not part of any name. */
    return strchr(name, '/') != NULL ? "" : name;
}

static int read_newline(struct dry_caller caller, struct text *text, const char *newline)
{
    if (newline == NULL) {
        text->newline = TEXT_UNIVERSAL;
    } else if (newline[0] == '\0' || strcmp(newline, "\n") == 0) {
        text->newline = TEXT_AS_IS;
    } else if (strcmp(newline, "\r") == 0) {
        text->newline = TEXT_CR;
    } else if (strcmp(newline, "\r\n") == 0) {
        text->newline = TEXT_CRLF;
    } else {
        return dry_error_value(caller, DRY_VALUE_ERROR, "illegal newline value: %s", newline);
    }
    return 0;
}

static void read_errors(struct text *text, const char *errors)
{
    snprintf(text->errors_name, sizeof text->errors_name, "%s", errors != NULL ? errors : "strict");
    text->errors = TEXT_STRICT;
    while (text->errors != TEXT_UNKNOWN && strcmp(text->errors_name, error_names[text->errors]) != 0) {
        text->errors++;
    }
}

/* The locale's encoding as Python reads it: a program that set no locale speaks UTF-8. */
static const char *locale_encoding(void)
{
    const char *name = nl_langinfo(CODESET);
    return strcmp(name, "ANSI_X3.4-1968") == 0 ? "UTF-8" : name;
}

int dry_text_begin(struct dry_caller caller, struct text *text, const char *encoding,
                   const char *errors, const char *newline, bool reading, bool writing)
{
    *text = (struct text){.decoder = (iconv_t)-1, .encoder = (iconv_t)-1};
    if (read_newline(caller, text, newline) != 0) {
        return -1;
    }
    read_errors(text, errors);
    if (encoding == NULL) {
        encoding = locale_encoding();
    }
    snprintf(text->encoding, sizeof text->encoding, "%s", encoding);
    char buffer[TEXT_NAME_BYTES];
    const char *name = iconv_name(encoding, buffer);
    text->is_utf8 = strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "UTF8") == 0;
    text->unit_bytes = strncasecmp(name, "UTF-16", 6) == 0   ? 2
                       : strncasecmp(name, "UTF-32", 6) == 0 ? 4
                                                             : 1;
    if (name[0] != '\0' && reading) {
        text->decoder = iconv_open("UTF-8", name);
    }
    if (name[0] != '\0' && writing) {
        text->encoder = iconv_open(name, "UTF-8");
    }
    bool known = name[0] != '\0' && (!reading || text->decoder != (iconv_t)-1) &&
                 (!writing || text->encoder != (iconv_t)-1);
    if (known) {
        return 0;
    }
    dry_text_end(text);
    return dry_error_value(caller, DRY_VALUE_ERROR, "unknown encoding: %s", encoding);
}

void dry_text_end(struct text *text)
{
    if (text->decoder != (iconv_t)-1) {
        iconv_close(text->decoder);
    }
    if (text->encoder != (iconv_t)-1) {
        iconv_close(text->encoder);
    }
    text->decoder = text->encoder = (iconv_t)-1;
}

/* ---- UTF-8 by hand, for what is wrong with it --------------------------------------------- */

/* The length that a first byte announces and the range of its second byte (Unicode, table 3-7);
 * 0: no first byte. */
static size_t utf8_lead(unsigned char first, unsigned char *least, unsigned char *most)
{
    *least = 0x80;
    *most = 0xbf;
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    if (first == 0xe0) {
        *least = 0xa0;
    } else if (first == 0xed) {
        *most = 0x9f;
    } else if (first == 0xf0) {
        *least = 0x90;
    } else if (first == 0xf4) {
        *most = 0x8f;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* How many bytes at the front are a character (*code: its number), or else the beginning of one
 * that breaks off (*code: -1), which handlers treat as one error. */
static size_t utf8_read(const unsigned char *bytes, size_t count, int32_t *code)
{
    unsigned char least;
    unsigned char most;
    size_t length = utf8_lead(bytes[0], &least, &most);
    *code = -1;
    if (length == 0) {
        return 1;
    }
    int32_t value = length == 1 ? bytes[0] : bytes[0] & (0xff >> (length + 1));
    size_t i = 1;
    for (; i < length && i < count; i++) {
        if (bytes[i] < least || bytes[i] > most) {
            return i;
        }
        value = value << 6 | (bytes[i] & 0x3f);
        least = 0x80;
        most = 0xbf;
    }
    if (i == length) {
        *code = value;
    }
    return i;
}

/* Whether these bytes are the beginning of a character that more bytes could finish. */
static bool unfinished(const unsigned char *bytes, size_t count)
{
    unsigned char least;
    unsigned char most;
    size_t length = utf8_lead(bytes[0], &least, &most);
    int32_t code;
    return length > count && utf8_read(bytes, count, &code) == count;
}

/* How many bytes at the front are whole characters. iconv cannot be asked: it lets numbers through that
 * are no characters, those beyond U+10FFFF. */
static size_t utf8_run(const char *bytes, size_t count)
{
    size_t run = 0;
    while (run < count) {
        int32_t code;
        size_t length = utf8_read((const unsigned char *)bytes + run, count - run, &code);
        if (code < 0) {
            break;
        }
        run += length;
    }
    return run;
}

/* ---- handlers ----------------------------------------------------------------------------- */

static int unknown_handler(struct dry_caller caller, const struct text *text)
{
    return dry_error_value(caller, DRY_VALUE_ERROR, "unknown error handler name '%s'",
                           text->errors_name);
}

static bool put(struct text_span *out, const char *bytes, size_t count)
{
    if (out->left < count) {
        return false;
    }
    memcpy(out->at, bytes, count);
    out->at += count;
    out->left -= count;
    return true;
}

static void skip(struct text_span *in, size_t count)
{
    in->at += count;
    in->left -= count;
}

static int undecodable(struct dry_caller caller, const struct text *text, unsigned char first,
                       bool at_end)
{
    return dry_error_value(caller, DRY_VALUE_UNICODE, "'%s' codec can't decode byte 0x%02x: %s",
                           text->encoding, first, at_end ? "unexpected end of data" : "invalid data");
}

/* What stands in the program's text for *count bytes that mean nothing; *count becomes how many of
 * them are dealt with. -1: the error is set. */
static int replace_bytes(struct dry_caller caller, const struct text *text, const unsigned char *bytes,
                         size_t *count, bool at_end, char *to)
{
    int length = 0;
    switch (text->errors) {
    case TEXT_IGNORE:
        return 0;
    case TEXT_REPLACE:
        memcpy(to, "\xef\xbf\xbd", 3);
        return 3;
    case TEXT_BACKSLASHREPLACE:
        for (size_t i = 0; i < *count; i++) {
            length += sprintf(to + length, "\\x%02x", bytes[i]);
        }
        return length;
    case TEXT_SURROGATEESCAPE:
        /* An ASCII byte has no surrogate: it would come back as a character. */
        while ((size_t)length < *count && bytes[length] >= 0x80) {
            to[length] = (char)bytes[length];
            length++;
        }
        *count = (size_t)length;
        return length > 0 ? length : undecodable(caller, text, bytes[0], at_end);
    case TEXT_STRICT:
        return undecodable(caller, text, bytes[0], at_end);
    case TEXT_XMLCHARREFREPLACE:
        return dry_error_value(caller, DRY_VALUE_TYPE,
                               "don't know how to handle UnicodeDecodeError in error callback");
    case TEXT_UNKNOWN:
        break;
    }
    return unknown_handler(caller, text);
}

static int unencodable(struct dry_caller caller, const struct text *text, int32_t code)
{
    return dry_error_value(caller, DRY_VALUE_UNICODE, "'%s' codec can't encode character U+%04X",
                           text->encoding, (unsigned)code);
}

/* What is written for a character that the encoding lacks (code >= 0), as UTF-8 to be encoded. */
static int replace_character(struct dry_caller caller, const struct text *text, int32_t code, char *to)
{
    switch (text->errors) {
    case TEXT_IGNORE:
        return 0;
    case TEXT_REPLACE:
        return sprintf(to, "?");
    case TEXT_BACKSLASHREPLACE:
        return sprintf(to,
                       code < 0x100     ? "\\x%02x"
                       : code < 0x10000 ? "\\u%04x"
                                        : "\\U%08x",
                       (unsigned)code);
    case TEXT_XMLCHARREFREPLACE:
        return sprintf(to, "&#%u;", (unsigned)code);
    case TEXT_STRICT:
    case TEXT_SURROGATEESCAPE:
        return unencodable(caller, text, code);
    case TEXT_UNKNOWN:
        break;
    }
    return unknown_handler(caller, text);
}

/* ---- decoding ----------------------------------------------------------------------------- */

/* Turns \r\n and \r into \n, in place; returns the new length. A \r at the end is given out at
 * once, and a \n that follows in the next piece is dropped. */
static size_t translate(struct text *text, char *bytes, size_t count)
{
    size_t to = 0;
    for (size_t i = 0; i < count; i++) {
        bool joined = text->after_cr && bytes[i] == '\n';
        text->after_cr = bytes[i] == '\r';
        if (!joined) {
            bytes[to++] = text->after_cr ? '\n' : bytes[i];
        }
    }
    return to;
}

/* Passes over the bytes at in->at that iconv stopped at. 1: done; 0: no room; -1: an error. */
static int pass_over(struct dry_caller caller, const struct text *text, struct text_span *in,
                     struct text_span *out, bool at_end)
{
    const unsigned char *bytes = (const unsigned char *)in->at;
    size_t count = at_end ? TEXT_CARRY_BYTES / 2 : text->unit_bytes;
    int32_t code;
    if (text->is_utf8) {
        count = utf8_read(bytes, in->left, &code);
    } else if (count > in->left) {
        count = in->left;
    }
    char stand_in[REPLACED_BYTES + 1];
    int length = replace_bytes(caller, text, bytes, &count, at_end, stand_in);
    if (length < 0) {
        return -1;
    }
    if (!put(out, stand_in, (size_t)length)) {
        return 0;
    }
    skip(in, count);
    return 1;
}

int dry_text_decode(struct dry_caller caller, struct text *text, struct text_span *in,
                    struct text_span *out, bool at_end)
{
    char *begin = out->at;
    int result = 0;
    while (in->left > 0) {
        size_t run = text->is_utf8 ? utf8_run(in->at, in->left) : in->left, left = run;
        size_t code = iconv(text->decoder, &in->at, &left, &out->at, &out->left);
        int why = code == (size_t)-1 ? errno : 0;
        in->left -= run - left;
        if (why == 0 && in->left > 0) {
            why = unfinished((const unsigned char *)in->at, in->left) ? EINVAL : EILSEQ;
        }
        if (why == 0 || why == E2BIG || (why == EINVAL && !at_end)) {
            break;
        }
        int passed = pass_over(caller, text, in, out, why == EINVAL);
        if (passed <= 0) {
            result = passed;
            break;
        }
    }
    if (text->newline == TEXT_UNIVERSAL) {
        size_t count = (size_t)(out->at - begin);
        size_t kept = translate(text, begin, count);
        out->at -= count - kept;
        out->left += count - kept;
    }
    return result;
}

/* ---- encoding ----------------------------------------------------------------------------- */

/* Encodes a whole piece of good UTF-8. 1: done, 0: no room (nothing written), -1 and errno. */
static int encode_piece(struct text *text, const char *bytes, size_t count, struct text_span *out)
{
    char *in = (char *)(uintptr_t)bytes;
    struct text_span before = *out;
    if (iconv(text->encoder, &in, &count, &out->at, &out->left) != (size_t)-1) {
        return 1;
    }
    *out = before;
    return errno == E2BIG ? 0 : -1;
}

/* One character, or the wrong bytes in place of one, at bytes[0..count). 1, 0 or -1 as above, with
 * the error object set. */
static int encode_wrong(struct dry_caller caller, struct text *text, const unsigned char *bytes,
                        size_t count, int32_t code, struct text_span *out)
{
    char stand_in[REPLACED_BYTES + 1];
    if (code < 0 && text->errors == TEXT_SURROGATEESCAPE && text->unit_bytes == 1) {
        return put(out, (const char *)bytes, count);
    }
    /* Python would see a lone surrogate here: U+DC80 + the byte. */
    int length = replace_character(caller, text, code < 0 ? 0xdc00 + bytes[0] : code, stand_in);
    if (length < 0) {
        return -1;
    }
    int result = encode_piece(text, stand_in, (size_t)length, out);
    if (result >= 0) {
        return result;
    }
    /* Nor is there a sign for what stands in its place. */
    return unencodable(caller, text, code < 0 ? 0xdc00 + bytes[0] : code);
}

static int encode_one(struct dry_caller caller, struct text *text, const unsigned char *bytes,
                      size_t count, int32_t code, struct text_span *out)
{
    if (code == '\n' && text->newline == TEXT_CR) {
        return encode_piece(text, "\r", 1, out);
    }
    if (code == '\n' && text->newline == TEXT_CRLF) {
        return encode_piece(text, "\r\n", 2, out);
    }
    if (code >= 0) {
        int result = encode_piece(text, (const char *)bytes, count, out);
        if (result >= 0) {
            return result;
        }
    }
    return encode_wrong(caller, text, bytes, count, code, out);
}

/* The bytes that are encoded as they are, up to something that needs a look. */
static size_t plain_run(const struct text *text, const struct text_span *in)
{
    size_t count = in->left;
    if (text->newline == TEXT_CR || text->newline == TEXT_CRLF) {
        const char *end = memchr(in->at, '\n', in->left);
        count = end != NULL ? (size_t)(end - in->at) : in->left;
    }
    return utf8_run(in->at, count);
}

/* Finishes the character in text->carry with bytes of `in`. 1: done, 0: no room or not enough
 * bytes, -1: an error. */
static int encode_carry(struct dry_caller caller, struct text *text, struct text_span *in,
                        struct text_span *out, bool at_end)
{
    while (in->left > 0 && unfinished(text->carry, text->carry_bytes)) {
        text->carry[text->carry_bytes++] = (unsigned char)in->at[0];
        skip(in, 1);
    }
    if (unfinished(text->carry, text->carry_bytes) && !at_end) {
        return 0;
    }
    int32_t code;
    size_t count = utf8_read(text->carry, text->carry_bytes, &code);
    int result = encode_one(caller, text, text->carry, code < 0 ? 1 : count, code, out);
    if (result <= 0) {
        return result;
    }
    size_t used = code < 0 ? 1 : count;
    memmove(text->carry, text->carry + used, text->carry_bytes - used);
    text->carry_bytes -= used;
    return 1;
}

int dry_text_encode(struct dry_caller caller, struct text *text, struct text_span *in,
                    struct text_span *out, bool at_end)
{
    while (text->carry_bytes > 0) {
        int result = encode_carry(caller, text, in, out, at_end);
        if (result <= 0) {
            return result;
        }
    }
    while (in->left > 0) {
        size_t run = plain_run(text, in);
        size_t left = run;
        if (run > 0) {
            size_t code = iconv(text->encoder, &in->at, &left, &out->at, &out->left);
            int why = code == (size_t)-1 ? errno : 0;
            in->left -= run - left;
            if (why == E2BIG) {
                return 0;
            }
            if (in->left == 0) {
                break;
            }
        }
        const unsigned char *bytes = (const unsigned char *)in->at;
        if (unfinished(bytes, in->left) && in->left < TEXT_CARRY_BYTES) {
            memcpy(text->carry, bytes, in->left);
            text->carry_bytes = in->left;
            skip(in, in->left);
            return at_end ? dry_text_encode(caller, text, in, out, at_end) : 0;
        }
        int32_t character;
        size_t count = utf8_read(bytes, in->left, &character);
        if (character < 0) {
            count = 1;
        }
        int result = encode_one(caller, text, bytes, count, character, out);
        if (result <= 0) {
            return result;
        }
        skip(in, count);
    }
    return 0;
}
