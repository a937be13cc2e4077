/* The methods that move scattered buffers and ancillary data.
 * SPDX-License-Identifier: MIT */
#include "extension.h"

/* Python's iterables of buffers, held while the library uses their memory. */
struct buffers {
    Py_buffer *held;
    struct iovec *vectors;
    Py_ssize_t count;
};

static void buffers_free(struct buffers *buffers)
{
    for (Py_ssize_t i = 0; i < buffers->count; i++) {
        PyBuffer_Release(&buffers->held[i]);
    }
    PyMem_Free(buffers->held);
    PyMem_Free(buffers->vectors);
}

/* format: "y*;…" or "w*;…" of one buffer; not_iterable: what is said of another object. */
static int buffers_take(struct buffers *buffers, PyObject *object, const char *format,
                        const char *not_iterable)
{
    *buffers = (struct buffers){0};
    PyObject *items = PySequence_Fast(object, not_iterable);
    if (!items) {
        return -1;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    buffers->held = PyMem_Calloc((size_t)count + 1, sizeof(*buffers->held));
    buffers->vectors = PyMem_Calloc((size_t)count + 1, sizeof(*buffers->vectors));
    bool failed = !buffers->held || !buffers->vectors;
    if (failed) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; !failed && i < count; i++) {
        Py_buffer *held = &buffers->held[i];
        failed = !PyArg_Parse(PySequence_Fast_GET_ITEM(items, i), format, held);
        if (!failed) {
            buffers->vectors[i] = (struct iovec){held->buf, (size_t)held->len};
            buffers->count++;
        }
    }
    Py_DECREF(items);
    if (failed) {
        buffers_free(buffers);
    }
    return failed ? -1 : 0;
}

/* ---- receiving ----------------------------------------------------------------------------- */

struct received {
    void *control;
    size_t control_bytes;
    struct dry_ancillary *items;
    size_t item_count;
    int flags;
    struct dry_address address;
};

/* Room for control messages of `bytes` in all: none is shorter than its header. */
static int received_begin(struct received *received, Py_ssize_t bytes, const char *wrong)
{
    *received = (struct received){0};
    if (bytes < 0 || bytes > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, wrong);
        return -1;
    }
    received->control_bytes = (size_t)bytes;
    received->item_count = (size_t)bytes / sizeof(struct cmsghdr) + 1;
    received->control = PyMem_Malloc((size_t)bytes + 1);
    received->items = PyMem_Calloc(received->item_count, sizeof(*received->items));
    if (received->control && received->items) {
        return 0;
    }
    PyMem_Free(received->control);
    PyMem_Free(received->items);
    PyErr_NoMemory();
    return -1;
}

static PyObject *give_ancillary(const struct received *received)
{
    PyObject *list = PyList_New((Py_ssize_t)received->item_count);
    for (size_t i = 0; list && i < received->item_count; i++) {
        const struct dry_ancillary *item = &received->items[i];
        PyObject *entry = Py_BuildValue("(iiy#)", item->level, item->type, item->data,
                                        (Py_ssize_t)item->bytes);
        if (!entry) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, entry);
        }
    }
    return list;
}

/* (first, ancillary data, flags, address); takes the reference to `first`. */
static PyObject *received_give(struct received *received, PyObject *first)
{
    PyObject *ancillary = give_ancillary(received);
    PyObject *address = ancillary ? address_give(&received->address) : NULL;
    PyObject *result = NULL;
    if (first && ancillary && address) {
        result = Py_BuildValue("NNiN", first, ancillary, received->flags, address);
    } else {
        Py_XDECREF(first);
        Py_XDECREF(ancillary);
        Py_XDECREF(address);
        dry_discard_ancillary(received->items, received->item_count);
    }
    return result;
}

static void received_end(struct received *received)
{
    PyMem_Free(received->control);
    PyMem_Free(received->items);
}

PyObject *method_recvmsg(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    struct received received;
    Py_ssize_t bytes, control_bytes = 0;
    ssize_t count;
    int flags = 0;
    if (!handle || !PyArg_ParseTuple(arguments, "n|ni:recvmsg", &bytes, &control_bytes, &flags)) {
        return NULL;
    }
    if (bytes < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffer size in recvmsg()");
        return NULL;
    }
    PyObject *data = PyBytes_FromStringAndSize(NULL, bytes);
    if (!data) {
        return NULL;
    }
    if (received_begin(&received, control_bytes, "invalid ancillary data buffer length") < 0) {
        Py_DECREF(data);
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    count = dry_recvmsg(handle, PyBytes_AS_STRING(data), (size_t)bytes, received.control,
                        received.control_bytes, received.items, &received.item_count, flags,
                        &received.flags, &received.address);
    END_LIBRARY_CALL
    PyObject *result = NULL;
    if (count < 0) {
        Py_DECREF(data);
        raise_last_error();
    } else if (count == bytes || _PyBytes_Resize(&data, count) == 0) {
        result = received_give(&received, data);
    }
    received_end(&received);
    return result;
}

PyObject *method_recvmsg_into(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    struct received received;
    struct buffers buffers;
    PyObject *iterable;
    Py_ssize_t control_bytes = 0;
    ssize_t count;
    int flags = 0;
    if (!handle ||
        !PyArg_ParseTuple(arguments, "O|ni:recvmsg_into", &iterable, &control_bytes, &flags) ||
        buffers_take(&buffers, iterable,
                     "w*;recvmsg_into() argument 1 must be an iterable of single-segment "
                     "read-write buffers",
                     "recvmsg_into() argument 1 must be an iterable") < 0) {
        return NULL;
    }
    if (received_begin(&received, control_bytes, "invalid ancillary data buffer length") < 0) {
        buffers_free(&buffers);
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    count = dry_recvmsg_into(handle, buffers.vectors, (size_t)buffers.count, received.control,
                             received.control_bytes, received.items, &received.item_count, flags,
                             &received.flags, &received.address);
    END_LIBRARY_CALL
    PyObject *result = count < 0 ? raise_last_error()
                                 : received_give(&received, PyLong_FromSsize_t(count));
    received_end(&received);
    buffers_free(&buffers);
    return result;
}

/* ---- sending ------------------------------------------------------------------------------- */

struct ancillary {
    struct dry_ancillary *items;
    Py_buffer *held;
    Py_ssize_t count;
};

static void ancillary_free(struct ancillary *ancillary)
{
    for (Py_ssize_t i = 0; i < ancillary->count; i++) {
        PyBuffer_Release(&ancillary->held[i]);
    }
    PyMem_Free(ancillary->items);
    PyMem_Free(ancillary->held);
}

static int ancillary_take(struct ancillary *ancillary, PyObject *object)
{
    *ancillary = (struct ancillary){0};
    if (!object) {
        return 0;
    }
    PyObject *items = PySequence_Fast(object, "sendmsg() argument 2 must be an iterable");
    if (!items) {
        return -1;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    ancillary->items = PyMem_Calloc((size_t)count + 1, sizeof(*ancillary->items));
    ancillary->held = PyMem_Calloc((size_t)count + 1, sizeof(*ancillary->held));
    bool failed = !ancillary->items || !ancillary->held;
    if (failed) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; !failed && i < count; i++) {
        struct dry_ancillary *item = &ancillary->items[i];
        Py_buffer *held = &ancillary->held[i];
        failed = !PyArg_Parse(PySequence_Fast_GET_ITEM(items, i),
                              "(iiy*):[sendmsg() ancillary data items]", &item->level, &item->type,
                              held);
        if (!failed) {
            item->data = held->buf;
            item->bytes = (size_t)held->len;
            ancillary->count++;
        }
    }
    Py_DECREF(items);
    if (failed) {
        ancillary_free(ancillary);
    }
    return failed ? -1 : 0;
}

static const char sendmsg_buffer[] =
    "y*;sendmsg() argument 1 must be an iterable of bytes-like objects";

PyObject *method_sendmsg(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    struct ancillary ancillary;
    struct buffers buffers;
    struct dry_address address;
    PyObject *iterable, *items = NULL, *to = Py_None;
    ssize_t sent;
    int flags = 0;
    if (!handle || !PyArg_ParseTuple(arguments, "O|OiO:sendmsg", &iterable, &items, &flags, &to)) {
        return NULL;
    }
    if (to != Py_None && address_take(&address, self, to, "sendmsg") < 0) {
        return NULL;
    }
    if (PySys_Audit("socket.sendmsg", "OO", self, to) < 0 ||
        buffers_take(&buffers, iterable, sendmsg_buffer, "sendmsg() argument 1 must be an iterable") <
            0) {
        return NULL;
    }
    if (ancillary_take(&ancillary, items) < 0) {
        buffers_free(&buffers);
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    sent = dry_sendmsg(handle, buffers.vectors, (size_t)buffers.count, ancillary.items,
                       (size_t)ancillary.count, flags, to != Py_None ? &address : NULL);
    END_LIBRARY_CALL
    ancillary_free(&ancillary);
    buffers_free(&buffers);
    return sent < 0 ? raise_last_error() : PyLong_FromSsize_t(sent);
}

/* assoclen: any int, or None for absent (-1); a negative one goes on as -2 for the library to
 * refuse. */
static int take_assoclen(PyObject *object, int64_t *assoclen)
{
    *assoclen = -1;
    if (!object || object == Py_None) {
        return 0;
    }
    int number = _PyLong_AsInt(object);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    *assoclen = number < 0 ? -2 : number;
    return 0;
}

/* op is a word of the call and has no default; what is no number that fits is as wrong as none. */
static int take_operation(PyObject *object)
{
    const int number = object ? _PyLong_AsInt(object) : -1;
    PyErr_Clear();
    return number;
}

PyObject *method_sendmsg_afalg(struct socket_object *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"msg", "op", "iv", "assoclen", "flags", NULL};
    struct dry_socket *handle = socket_handle(self);
    struct buffers buffers = {0};
    PyObject *iterable = NULL, *associated = NULL, *operation = NULL;
    Py_buffer iv = {0};
    int64_t assoclen;
    ssize_t sent;
    int number, flags = 0;
    if (!handle) {
        return NULL;
    }
    if (dry_family(handle) != AF_ALG) {
        PyErr_SetString(PyExc_OSError, "algset is only supported for AF_ALG");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O$O!y*O!i:sendmsg_afalg", names, &iterable,
                                     &PyLong_Type, &operation, &iv, &PyLong_Type, &associated,
                                     &flags)) {
        return NULL;
    }
    if (take_assoclen(associated, &assoclen) < 0 ||
        (iterable && buffers_take(&buffers, iterable, sendmsg_buffer,
                                  "sendmsg_afalg() argument 1 must be an iterable") < 0)) {
        PyBuffer_Release(&iv);
        return NULL;
    }
    number = take_operation(operation);
    BEGIN_LIBRARY_CALL
    sent = dry_sendmsg_afalg(handle, buffers.vectors, (size_t)buffers.count, number, iv.buf,
                             (size_t)iv.len, assoclen, flags);
    END_LIBRARY_CALL
    buffers_free(&buffers);
    PyBuffer_Release(&iv);
    return sent < 0 ? raise_last_error() : PyLong_FromSsize_t(sent);
}
