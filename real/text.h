/* Text of a stream: from its encoding to UTF-8 and back, with Python's error handlers and newlines.
 * SPDX-License-Identifier: MIT
 *
 * The program's side is always UTF-8. A byte that the handler "surrogateescape" lets through is
 * that byte itself there, and becomes it again on the way out.
 *
 * SIMPLER: the tables of each encoding are iconv's, which for a few East Asian ones differ from
 * Python's in single characters; the handlers "namereplace" and "surrogatepass" are unknown.
 */
#ifndef REAL_TEXT_H
#define REAL_TEXT_H

#include <iconv.h>

#include "error.h"

enum text_errors {
    TEXT_STRICT = 0,
    TEXT_IGNORE,
    TEXT_REPLACE,
    TEXT_BACKSLASHREPLACE,
    TEXT_SURROGATEESCAPE,
    TEXT_XMLCHARREFREPLACE, /* of encoding only */
    TEXT_UNKNOWN,           /* found out when it is first needed, as in Python */
};

enum text_newline {
    TEXT_UNIVERSAL = 0, /* None: every line end is read as \n */
    TEXT_AS_IS,         /* "" and "\n" */
    TEXT_CR,            /* "\r": \n is written as that */
    TEXT_CRLF,
};

enum {
    TEXT_NAME_BYTES = 40,
    TEXT_CARRY_BYTES = 8, /* a character cut in two by a write */
};

struct text {
    iconv_t decoder; /* (iconv_t)-1: none */
    iconv_t encoder;
    enum text_errors errors;
    enum text_newline newline;
    bool is_utf8;
    size_t unit_bytes; /* of the encoding: 2 in UTF-16, 4 in UTF-32, else 1 */
    bool after_cr;     /* the last character read was \r, given out as \n */
    char encoding[TEXT_NAME_BYTES];
    char errors_name[TEXT_NAME_BYTES];
    unsigned char carry[TEXT_CARRY_BYTES];
    size_t carry_bytes;
};

/* NULL arguments are Python's None. 0, or -1 with the error set and nothing to end. */
int dry_text_begin(struct dry_caller caller, struct text *text, const char *encoding,
                   const char *errors, const char *newline, bool reading, bool writing);
void dry_text_end(struct text *text);

/* A run of bytes of which the front is used up. */
struct text_span {
    char *at;
    size_t left;
};

/* Decodes what it can from `in` to `out` and moves both on. at_end: nothing follows, so that an
 * unfinished character is an error. Returns 0 when `in` is used up or has only the beginning of a
 * character left, or `out` is full; -1 with the error set, both moved to where it is. */
int dry_text_decode(struct dry_caller caller, struct text *text, struct text_span *in,
                    struct text_span *out, bool at_end);

/* Encodes likewise; the beginning of a character at the end of `in` is kept in text->carry. */
int dry_text_encode(struct dry_caller caller, struct text *text, struct text_span *in,
                    struct text_span *out, bool at_end);

#endif
