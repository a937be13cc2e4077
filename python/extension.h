/* What the files of the `_socket` extension share. The extension converts types and nothing else.
 * SPDX-License-Identifier: MIT */
#ifndef PYTHON_EXTENSION_H
#define PYTHON_EXTENSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <drysock/socket.h>

/* The interpreter's own _ssl module reads the first members, so they stand as CPython's
 * socketmodule.h has them and are kept up to date. */
struct socket_object {
    PyObject_HEAD int fd;
    int family;
    int type;
    int protocol;
    PyObject *(*error_handler)(void);
    _PyTime_t timeout;         /* nanoseconds; negative: None */
    struct dry_socket *handle; /* NULL before __init__ */
};

extern PyTypeObject socket_type;
extern PyObject *socket_herror;
extern PyObject *socket_gaierror;

/* ---- convert.c ----------------------------------------------------------------------------- */

/* Raises dry_last_error() (nothing when a signal handler raised already); returns NULL. */
PyObject *raise_last_error(void);
/* None, or what raise_last_error raises where status is negative. */
PyObject *none_or_raise(int status);

/* An address that a Python object gives: what dry_value borrows is kept until value_free. */
struct python_value {
    struct dry_value value;
    struct dry_value *items;
    PyObject **kept;
    Py_ssize_t kept_count;
};
/* 0, or -1 with an exception. */
int value_take(struct python_value *taken, PyObject *object);
void value_free(struct python_value *taken);

/* Reads `object` as an address of the socket for `method`. 0, or -1 with an exception. */
int address_take(struct dry_address *address, const struct socket_object *socket, PyObject *object,
                 const char *method);
/* The Python form of an address; a new reference. */
PyObject *address_give(const struct dry_address *address);

/* None or seconds into the library's nanoseconds. 0, or -1 with an exception. */
int timeout_take(PyObject *object, int64_t *timeout_ns);
PyObject *timeout_give(int64_t timeout_ns);

/* Begins a call of the library without the interpreter's lock: its interrupt check runs Python's
 * signal handlers. Always paired with Py_END_ALLOW_THREADS. */
void begin_signals(void);
#define BEGIN_LIBRARY_CALL \
    begin_signals();       \
    Py_BEGIN_ALLOW_THREADS
#define END_LIBRARY_CALL Py_END_ALLOW_THREADS

/* ---- socket_type.c and messages.c ---------------------------------------------------------- */

/* The library's object of a socket; NULL with OSError(EBADF) when it was never made. */
struct dry_socket *socket_handle(struct socket_object *socket);
/* A new `_socket.socket` around a handle, which it owns; NULL: the handle is closed. */
PyObject *socket_wrap(struct dry_socket *handle);

PyObject *method_recvmsg(struct socket_object *self, PyObject *arguments);
PyObject *method_recvmsg_into(struct socket_object *self, PyObject *arguments);
PyObject *method_sendmsg(struct socket_object *self, PyObject *arguments);
PyObject *method_sendmsg_afalg(struct socket_object *self, PyObject *arguments, PyObject *keywords);

/* ---- transfer.c ---------------------------------------------------------------------------- */

PyObject *method_send(struct socket_object *self, PyObject *arguments);
PyObject *method_sendall(struct socket_object *self, PyObject *arguments);
PyObject *method_sendto(struct socket_object *self, PyObject *arguments);
PyObject *method_recv(struct socket_object *self, PyObject *arguments);
PyObject *method_recvfrom(struct socket_object *self, PyObject *arguments);
PyObject *method_recv_into(struct socket_object *self, PyObject *arguments, PyObject *keywords);
PyObject *method_recvfrom_into(struct socket_object *self, PyObject *arguments, PyObject *keywords);

/* ---- names.c ------------------------------------------------------------------------------- */

extern PyMethodDef name_functions[];

#endif
