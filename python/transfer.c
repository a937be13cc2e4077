/* The methods that send and receive bytes.
 * SPDX-License-Identifier: MIT */
#include "extension.h"

/* ---- sending ------------------------------------------------------------------------------- */

PyObject *method_send(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    Py_buffer data;
    ssize_t sent;
    int flags = 0;
    if (!handle || !PyArg_ParseTuple(arguments, "y*|i:send", &data, &flags)) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    sent = dry_send(handle, data.buf, (size_t)data.len, flags);
    END_LIBRARY_CALL
    PyBuffer_Release(&data);
    return sent < 0 ? raise_last_error() : PyLong_FromSsize_t(sent);
}

PyObject *method_sendall(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    Py_buffer data;
    int status;
    int flags = 0;
    if (!handle || !PyArg_ParseTuple(arguments, "y*|i:sendall", &data, &flags)) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_sendall(handle, data.buf, (size_t)data.len, flags, NULL);
    END_LIBRARY_CALL
    PyBuffer_Release(&data);
    return none_or_raise(status);
}

PyObject *method_sendto(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    Py_ssize_t count = PyTuple_Size(arguments);
    struct dry_address address;
    PyObject *to;
    Py_buffer data;
    ssize_t sent = -1;
    int flags = 0;
    if (!handle) {
        return NULL;
    }
    if (count != 2 && count != 3) {
        return PyErr_Format(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", count);
    }
    if (count == 2 ? !PyArg_ParseTuple(arguments, "y*O:sendto", &data, &to)
                   : !PyArg_ParseTuple(arguments, "y*iO:sendto", &data, &flags, &to)) {
        return NULL;
    }
    if (address_take(&address, self, to, "sendto") < 0 ||
        PySys_Audit("socket.sendto", "OO", self, to) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    sent = dry_sendto(handle, data.buf, (size_t)data.len, flags, &address);
    END_LIBRARY_CALL
    PyBuffer_Release(&data);
    return sent < 0 ? raise_last_error() : PyLong_FromSsize_t(sent);
}

/* ---- receiving ----------------------------------------------------------------------------- */

PyObject *method_recv(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    Py_ssize_t bytes;
    ssize_t count;
    int flags = 0;
    if (!handle || !PyArg_ParseTuple(arguments, "n|i:recv", &bytes, &flags)) {
        return NULL;
    }
    if (bytes < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recv");
        return NULL;
    }
    PyObject *buffer = PyBytes_FromStringAndSize(NULL, bytes);
    if (!buffer) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    count = dry_recv(handle, PyBytes_AS_STRING(buffer), (size_t)bytes, flags);
    END_LIBRARY_CALL
    if (count < 0) {
        Py_DECREF(buffer);
        return raise_last_error();
    }
    if (count != bytes) {
        _PyBytes_Resize(&buffer, count);
    }
    return buffer;
}

PyObject *method_recvfrom(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    struct dry_address address;
    Py_ssize_t bytes;
    ssize_t count;
    int flags = 0;
    if (!handle || !PyArg_ParseTuple(arguments, "n|i:recvfrom", &bytes, &flags)) {
        return NULL;
    }
    if (bytes < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recvfrom");
        return NULL;
    }
    PyObject *buffer = PyBytes_FromStringAndSize(NULL, bytes);
    if (!buffer) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    count = dry_recvfrom(handle, PyBytes_AS_STRING(buffer), (size_t)bytes, flags, &address);
    END_LIBRARY_CALL
    if (count < 0) {
        Py_DECREF(buffer);
        return raise_last_error();
    }
    if (count != bytes && _PyBytes_Resize(&buffer, count) < 0) {
        return NULL;
    }
    PyObject *from = address_give(&address);
    if (!from) {
        Py_DECREF(buffer);
        return NULL;
    }
    return Py_BuildValue("NN", buffer, from);
}

/* recv_into and recvfrom_into (with `address`). */
static ssize_t receive_into(struct socket_object *self, PyObject *arguments, PyObject *keywords,
                            const char *format, const char *negative, struct dry_address *address)
{
    static char *names[] = {"buffer", "nbytes", "flags", NULL};
    struct dry_socket *handle = socket_handle(self);
    Py_buffer buffer;
    Py_ssize_t bytes = 0;
    ssize_t count = -1;
    int flags = 0;
    if (!handle ||
        !PyArg_ParseTupleAndKeywords(arguments, keywords, format, names, &buffer, &bytes, &flags)) {
        return -1;
    }
    if (bytes < 0) {
        PyErr_SetString(PyExc_ValueError, negative);
    } else {
        BEGIN_LIBRARY_CALL
        count = address ? dry_recvfrom_into(handle, buffer.buf, (size_t)buffer.len, (size_t)bytes,
                                            flags, address)
                        : dry_recv_into(handle, buffer.buf, (size_t)buffer.len, (size_t)bytes, flags);
        END_LIBRARY_CALL
        if (count < 0) {
            raise_last_error();
        }
    }
    PyBuffer_Release(&buffer);
    return count;
}

PyObject *method_recv_into(struct socket_object *self, PyObject *arguments, PyObject *keywords)
{
    ssize_t count = receive_into(self, arguments, keywords, "w*|ni:recv_into",
                                 "negative buffersize in recv_into", NULL);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

PyObject *method_recvfrom_into(struct socket_object *self, PyObject *arguments, PyObject *keywords)
{
    struct dry_address address;
    ssize_t count = receive_into(self, arguments, keywords, "w*|ni:recvfrom_into",
                                 "negative buffersize in recvfrom_into", &address);
    if (count < 0) {
        return NULL;
    }
    PyObject *from = address_give(&address);
    return from ? Py_BuildValue("nN", count, from) : NULL;
}
