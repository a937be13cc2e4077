/* The type `_socket.socket`: each method takes Python's arguments to one call of the library.
 * SPDX-License-Identifier: MIT */
#include "extension.h"

#include <errno.h>
#include <structmember.h>

enum {
    OPTION_BYTES_MAX = 1024, /* what getsockopt returns at most */
};

/* The members that _ssl reads follow the library's object. */
static void mirror(struct socket_object *self)
{
    int64_t timeout_ns = dry_gettimeout(self->handle);
    self->fd = dry_fileno(self->handle);
    self->family = dry_family(self->handle);
    self->type = dry_type(self->handle);
    self->protocol = dry_protocol(self->handle);
    self->timeout = timeout_ns < 0 ? -1000000000 : timeout_ns;
}

struct dry_socket *socket_handle(struct socket_object *socket)
{
    if (!socket->handle) {
        errno = EBADF;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return socket->handle;
}

/* ---- making and ending --------------------------------------------------------------------- */

static PyObject *socket_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    struct socket_object *self = (struct socket_object *)type->tp_alloc(type, 0);
    if (self) {
        self->fd = -1;
        self->timeout = -1000000000;
    }
    return (PyObject *)self;
}

PyObject *socket_wrap(struct dry_socket *handle)
{
    struct socket_object *self = (struct socket_object *)socket_new(&socket_type, NULL, NULL);
    if (!self) {
        dry_close(handle);
        return NULL;
    }
    self->handle = handle;
    mirror(self);
    return (PyObject *)self;
}

/* fileno= as an int. 0: none given, 1: given, -1 with an exception. */
static int take_fileno(PyObject *object, int *fd)
{
    if (!object || object == Py_None) {
        return 0;
    }
    if (PyFloat_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "integer argument expected, got float");
        return -1;
    }
    long number = PyLong_AsLong(object);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    *fd = number < INT_MIN || number > INT_MAX ? -1 : (int)number;
    return 1;
}

static int socket_init(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"family", "type", "proto", "fileno", NULL};
    struct socket_object *self = (struct socket_object *)object;
    struct dry_socket *handle;
    PyObject *fileno = NULL;
    int family = -1, type = -1, protocol = -1, fd = -1;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|iiiO:socket", names, &family, &type,
                                     &protocol, &fileno)) {
        return -1;
    }
    if (PySys_Audit("socket.__new__", "Oiii", object, family, type, protocol) < 0) {
        return -1;
    }
    int given = take_fileno(fileno, &fd);
    if (given < 0) {
        return -1;
    }
    BEGIN_LIBRARY_CALL
    handle = given ? dry_socket_fileno(fd, family, type, protocol) : dry_socket(family, type, protocol);
    END_LIBRARY_CALL
    if (!handle) {
        raise_last_error();
        return -1;
    }
    if (self->handle) { /* a second __init__ forgets the first descriptor, as CPython does */
        dry_detach(self->handle);
        dry_close(self->handle);
    }
    self->handle = handle;
    mirror(self);
    return 0;
}

static void socket_finalize(PyObject *object)
{
    struct socket_object *self = (struct socket_object *)object;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (self->fd != -1) {
        if (PyErr_ResourceWarning(object, 1, "unclosed %R", object) &&
            PyErr_ExceptionMatches(PyExc_Warning)) {
            PyErr_WriteUnraisable(object);
        }
        BEGIN_LIBRARY_CALL
        dry_close_keep(self->handle);
        END_LIBRARY_CALL
        self->fd = -1;
    }
    PyErr_Restore(type, value, trace);
}

static void socket_dealloc(PyObject *object)
{
    struct socket_object *self = (struct socket_object *)object;
    if (PyObject_CallFinalizerFromDealloc(object) < 0) {
        return;
    }
    if (self->handle) {
        dry_close(self->handle);
    }
    Py_TYPE(object)->tp_free(object);
}

static PyObject *socket_repr(PyObject *object)
{
    struct socket_object *self = (struct socket_object *)object;
    return PyUnicode_FromFormat("<socket object, fd=%ld, family=%d, type=%d, proto=%d>", (long)self->fd,
                                self->family, self->type, self->protocol);
}

static PyObject *method_close(struct socket_object *self, PyObject *unused)
{
    int status = 0;
    if (self->fd != -1) {
        /* Forgotten first: another thread may get the number while this one closes. */
        self->fd = -1;
        BEGIN_LIBRARY_CALL
        status = dry_close_keep(self->handle);
        END_LIBRARY_CALL
    }
    return none_or_raise(status);
}

static PyObject *method_detach(struct socket_object *self, PyObject *unused)
{
    int fd = self->fd;
    self->fd = -1;
    if (self->handle) {
        dry_detach(self->handle);
    }
    return PyLong_FromLong(fd);
}

static PyObject *method_fileno(struct socket_object *self, PyObject *unused)
{
    return PyLong_FromLong(self->fd);
}

/* ---- modes --------------------------------------------------------------------------------- */

static PyObject *method_settimeout(struct socket_object *self, PyObject *argument)
{
    struct dry_socket *handle = socket_handle(self);
    int64_t timeout_ns;
    int status;
    if (!handle || timeout_take(argument, &timeout_ns) < 0) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_settimeout(handle, timeout_ns);
    END_LIBRARY_CALL
    mirror(self);
    return none_or_raise(status);
}

static PyObject *method_gettimeout(struct socket_object *self, PyObject *unused)
{
    return timeout_give(self->timeout);
}

static PyObject *get_timeout(PyObject *self, void *closure)
{
    return timeout_give(((struct socket_object *)self)->timeout);
}

static PyObject *method_setblocking(struct socket_object *self, PyObject *argument)
{
    struct dry_socket *handle = socket_handle(self);
    int blocking = PyObject_IsTrue(argument);
    int status;
    if (!handle || blocking < 0) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_setblocking(handle, blocking);
    END_LIBRARY_CALL
    mirror(self);
    return none_or_raise(status);
}

static PyObject *method_getblocking(struct socket_object *self, PyObject *unused)
{
    return PyBool_FromLong(self->timeout != 0);
}

/* ---- connecting and serving ---------------------------------------------------------------- */

static PyObject *method_bind(struct socket_object *self, PyObject *argument)
{
    struct dry_socket *handle = socket_handle(self);
    struct dry_address address;
    int status;
    if (!handle || address_take(&address, self, argument, "bind") < 0 ||
        PySys_Audit("socket.bind", "OO", self, argument) < 0) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_bind(handle, &address);
    END_LIBRARY_CALL
    return none_or_raise(status);
}

static PyObject *method_connect(struct socket_object *self, PyObject *argument)
{
    struct dry_socket *handle = socket_handle(self);
    struct dry_address address;
    int status;
    if (!handle || address_take(&address, self, argument, "connect") < 0 ||
        PySys_Audit("socket.connect", "OO", self, argument) < 0) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_connect(handle, &address);
    END_LIBRARY_CALL
    return none_or_raise(status);
}

static PyObject *method_connect_ex(struct socket_object *self, PyObject *argument)
{
    struct dry_socket *handle = socket_handle(self);
    struct dry_address address;
    int code;
    if (!handle || address_take(&address, self, argument, "connect_ex") < 0 ||
        PySys_Audit("socket.connect", "OO", self, argument) < 0) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    code = dry_connect_ex(handle, &address);
    END_LIBRARY_CALL
    return code < 0 ? raise_last_error() : PyLong_FromLong(code);
}

static PyObject *method_listen(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    int backlog = DRY_BACKLOG_DEFAULT;
    int status;
    if (!handle || !PyArg_ParseTuple(arguments, "|i:listen", &backlog)) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_listen(handle, backlog);
    END_LIBRARY_CALL
    return none_or_raise(status);
}

static PyObject *method_accept(struct socket_object *self, PyObject *unused)
{
    struct dry_socket *handle = socket_handle(self);
    struct dry_socket *accepted;
    struct dry_address peer;
    if (!handle) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    accepted = dry_accept(handle, &peer);
    END_LIBRARY_CALL
    if (!accepted) {
        return raise_last_error();
    }
    PyObject *address = address_give(&peer);
    if (!address) {
        dry_close(accepted);
        return NULL;
    }
    int fd = dry_detach(accepted);
    dry_close(accepted);
    return Py_BuildValue("iN", fd, address);
}

static PyObject *method_shutdown(struct socket_object *self, PyObject *argument)
{
    struct dry_socket *handle = socket_handle(self);
    int how = _PyLong_AsInt(argument);
    int status;
    if (!handle || (how == -1 && PyErr_Occurred())) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_shutdown(handle, how);
    END_LIBRARY_CALL
    return none_or_raise(status);
}

static PyObject *give_name(struct socket_object *self,
                           int (*ask)(struct dry_socket *, struct dry_address *))
{
    struct dry_socket *handle = socket_handle(self);
    struct dry_address address;
    int status;
    if (!handle) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = ask(handle, &address);
    END_LIBRARY_CALL
    return status < 0 ? raise_last_error() : address_give(&address);
}

static PyObject *method_getsockname(struct socket_object *self, PyObject *unused)
{
    return give_name(self, dry_getsockname);
}

static PyObject *method_getpeername(struct socket_object *self, PyObject *unused)
{
    return give_name(self, dry_getpeername);
}

/* ---- options ------------------------------------------------------------------------------- */

static PyObject *method_getsockopt(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    int level, option, number, bytes = 0;
    if (!handle || !PyArg_ParseTuple(arguments, "ii|i:getsockopt", &level, &option, &bytes)) {
        return NULL;
    }
    if (bytes == 0) {
        if (dry_getsockopt_int(handle, level, option, &number) < 0) {
            return raise_last_error();
        }
        return PyLong_FromLong(number);
    }
    PyObject *buffer = bytes > 0 && bytes <= OPTION_BYTES_MAX ? PyBytes_FromStringAndSize(NULL, bytes)
                                                              : PyBytes_FromStringAndSize(NULL, 0);
    if (!buffer) {
        return NULL;
    }
    ssize_t length = dry_getsockopt(handle, level, option, PyBytes_AS_STRING(buffer),
                                    bytes < 0 ? SIZE_MAX : (size_t)bytes);
    if (length < 0) {
        Py_DECREF(buffer);
        return raise_last_error();
    }
    _PyBytes_Resize(&buffer, length);
    return buffer;
}

static PyObject *method_setsockopt(struct socket_object *self, PyObject *arguments)
{
    struct dry_socket *handle = socket_handle(self);
    int level, option, number;
    unsigned length;
    PyObject *none;
    Py_buffer value;
    if (!handle) {
        return NULL;
    }
    if (PyArg_ParseTuple(arguments, "iii:setsockopt", &level, &option, &number)) {
        return none_or_raise(dry_setsockopt_int(handle, level, option, number));
    }
    PyErr_Clear();
    if (PyArg_ParseTuple(arguments, "iiO!I:setsockopt", &level, &option, Py_TYPE(Py_None), &none,
                         &length)) {
        return none_or_raise(dry_setsockopt_null(handle, level, option, length));
    }
    PyErr_Clear();
    if (!PyArg_ParseTuple(arguments, "iiy*:setsockopt", &level, &option, &value)) {
        return NULL;
    }
    int status = dry_setsockopt(handle, level, option, value.buf, (size_t)value.len);
    PyBuffer_Release(&value);
    return none_or_raise(status);
}

/* ---- the type ------------------------------------------------------------------------------ */

#define METHOD(name, flags, help) {#name, (PyCFunction)(void (*)(void))method_##name, flags, help}

static PyMethodDef methods[] = {
    {"_accept", (PyCFunction)(void (*)(void))method_accept, METH_NOARGS, "_accept() -> (fd, address)"},
    METHOD(bind, METH_O, "bind(address)"),
    METHOD(close, METH_NOARGS, "close()"),
    METHOD(connect, METH_O, "connect(address)"),
    METHOD(connect_ex, METH_O, "connect_ex(address) -> errno"),
    METHOD(detach, METH_NOARGS, "detach() -> descriptor"),
    METHOD(fileno, METH_NOARGS, "fileno() -> descriptor"),
    METHOD(getblocking, METH_NOARGS, "getblocking() -> bool"),
    METHOD(getpeername, METH_NOARGS, "getpeername() -> address"),
    METHOD(getsockname, METH_NOARGS, "getsockname() -> address"),
    METHOD(getsockopt, METH_VARARGS, "getsockopt(level, option[, buffersize]) -> int or bytes"),
    METHOD(gettimeout, METH_NOARGS, "gettimeout() -> seconds or None"),
    METHOD(listen, METH_VARARGS, "listen([backlog])"),
    METHOD(recv, METH_VARARGS, "recv(buffersize[, flags]) -> bytes"),
    METHOD(recv_into, METH_VARARGS | METH_KEYWORDS, "recv_into(buffer[, nbytes[, flags]]) -> int"),
    METHOD(recvfrom, METH_VARARGS, "recvfrom(buffersize[, flags]) -> (bytes, address)"),
    METHOD(recvfrom_into, METH_VARARGS | METH_KEYWORDS,
           "recvfrom_into(buffer[, nbytes[, flags]]) -> (int, address)"),
    METHOD(recvmsg, METH_VARARGS,
           "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)"),
    METHOD(recvmsg_into, METH_VARARGS,
           "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)"),
    METHOD(send, METH_VARARGS, "send(data[, flags]) -> int"),
    METHOD(sendall, METH_VARARGS, "sendall(data[, flags])"),
    METHOD(sendmsg, METH_VARARGS, "sendmsg(buffers[, ancdata[, flags[, address]]]) -> int"),
    METHOD(sendmsg_afalg, METH_VARARGS | METH_KEYWORDS,
           "sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags]]]) -> int"),
    METHOD(sendto, METH_VARARGS, "sendto(data[, flags], address) -> int"),
    METHOD(setblocking, METH_O, "setblocking(flag)"),
    METHOD(setsockopt, METH_VARARGS, "setsockopt(level, option, value[, optlen])"),
    METHOD(settimeout, METH_O, "settimeout(seconds or None)"),
    METHOD(shutdown, METH_O, "shutdown(how)"),
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"family", T_INT, offsetof(struct socket_object, family), READONLY, "the socket family"},
    {"type", T_INT, offsetof(struct socket_object, type), READONLY, "the socket type"},
    {"proto", T_INT, offsetof(struct socket_object, protocol), READONLY, "the socket protocol"},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"timeout", get_timeout, NULL, "the socket timeout", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject socket_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_socket.socket",
    .tp_basicsize = sizeof(struct socket_object),
    .tp_dealloc = socket_dealloc,
    .tp_repr = socket_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0, fileno=None) -> socket object",
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = attributes,
    .tp_init = socket_init,
    .tp_new = socket_new,
    .tp_free = PyObject_Del,
    .tp_finalize = socket_finalize,
};
