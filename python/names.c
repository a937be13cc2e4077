/* The functions of the module: names, services, interfaces, numeric addresses, byte order.
 * SPDX-License-Identifier: MIT */
#include "extension.h"

#include <errno.h>
#include <fcntl.h>

/* ---- hosts --------------------------------------------------------------------------------- */

/* A host name, borrowed from *kept, which is a new reference. NULL with an exception.
 * SIMPLER: the library encodes every host name, where CPython takes bytes as they are. */
static const char *take_host(PyObject *object, PyObject **kept, const char *wrong)
{
    *kept = NULL;
    if (PyUnicode_Check(object)) {
        *kept = PyUnicode_EncodeFSDefault(object);
    } else if (PyBytes_Check(object) || PyByteArray_Check(object)) {
        *kept = PyBytes_FromObject(object);
    } else {
        PyErr_SetString(PyExc_TypeError, wrong);
    }
    if (!*kept) {
        return NULL;
    }
    const char *text = PyBytes_AS_STRING(*kept);
    if (strlen(text) != (size_t)PyBytes_GET_SIZE(*kept)) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        Py_CLEAR(*kept);
        return NULL;
    }
    return text;
}

/* The one argument of a gethostby* function. */
static const char *take_name(PyObject *arguments, const char *format, const char *function,
                             PyObject **object, PyObject **kept)
{
    char wrong[128];
    if (!PyArg_ParseTuple(arguments, format, object)) {
        return NULL;
    }
    snprintf(wrong, sizeof(wrong), "%s() argument 1 must be str, bytes or bytearray, not %.40s",
             function, Py_TYPE(*object)->tp_name);
    return take_host(*object, kept, wrong);
}

static PyObject *function_gethostname(PyObject *module, PyObject *unused)
{
    char name[1024];
    if (PySys_Audit("socket.gethostname", NULL) < 0) {
        return NULL;
    }
    int status;
    BEGIN_LIBRARY_CALL
    status = dry_gethostname(name, sizeof(name));
    END_LIBRARY_CALL
    return status < 0 ? raise_last_error() : PyUnicode_DecodeFSDefault(name);
}

static PyObject *function_sethostname(PyObject *module, PyObject *arguments)
{
    PyObject *name;
    if (!PyArg_ParseTuple(arguments, "S:sethostname", &name)) {
        PyErr_Clear();
        if (!PyArg_ParseTuple(arguments, "O&:sethostname", PyUnicode_FSConverter, &name)) {
            return NULL;
        }
    } else {
        Py_INCREF(name);
    }
    PyObject *result = NULL;
    if (PySys_Audit("socket.sethostname", "(O)", name) == 0) {
        if (dry_sethostname(PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name)) < 0) {
            raise_last_error();
        } else {
            result = Py_NewRef(Py_None);
        }
    }
    Py_DECREF(name);
    return result;
}

static PyObject *function_gethostbyname(PyObject *module, PyObject *arguments)
{
    PyObject *object, *kept;
    char text[DRY_INET_TEXT_BYTES];
    int status = -1;
    const char *name = take_name(arguments, "O:gethostbyname", "gethostbyname", &object, &kept);
    if (!name) {
        return NULL;
    }
    if (PySys_Audit("socket.gethostbyname", "O", object) == 0) {
        BEGIN_LIBRARY_CALL
        dry_set_host_bytes(true);
        status = dry_gethostbyname(name, text, sizeof(text));
        END_LIBRARY_CALL
        if (status < 0) {
            raise_last_error();
        }
    }
    Py_DECREF(kept);
    return status < 0 ? NULL : PyUnicode_FromString(text);
}

static PyObject *give_texts(char *const *texts)
{
    PyObject *list = PyList_New(0);
    for (; list && *texts; texts++) {
        PyObject *text = PyUnicode_DecodeFSDefault(*texts);
        if (!text || PyList_Append(list, text) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(text);
    }
    return list;
}

static PyObject *give_entry(struct dry_hostent *entry)
{
    if (!entry) {
        return raise_last_error();
    }
    PyObject *aliases = give_texts(entry->aliases);
    PyObject *addresses = give_texts(entry->addresses);
    PyObject *name = PyUnicode_DecodeFSDefault(entry->name);
    free(entry);
    if (aliases && addresses && name) {
        return Py_BuildValue("NNN", name, aliases, addresses);
    }
    Py_XDECREF(aliases);
    Py_XDECREF(addresses);
    Py_XDECREF(name);
    return NULL;
}

static PyObject *ask_entry(PyObject *arguments, const char *format, const char *function,
                           const char *event, struct dry_hostent *(*ask)(const char *))
{
    PyObject *object, *kept, *result = NULL;
    struct dry_hostent *entry;
    const char *name = take_name(arguments, format, function, &object, &kept);
    if (!name) {
        return NULL;
    }
    if (PySys_Audit(event, "O", object) == 0) {
        BEGIN_LIBRARY_CALL
        dry_set_host_bytes(true);
        entry = ask(name);
        END_LIBRARY_CALL
        result = give_entry(entry);
    }
    Py_DECREF(kept);
    return result;
}

static PyObject *function_gethostbyname_ex(PyObject *module, PyObject *arguments)
{
    return ask_entry(arguments, "O:gethostbyname_ex", "gethostbyname_ex", "socket.gethostbyname",
                     dry_gethostbyname_ex);
}

static PyObject *function_gethostbyaddr(PyObject *module, PyObject *arguments)
{
    return ask_entry(arguments, "O:gethostbyaddr", "gethostbyaddr", "socket.gethostbyaddr",
                     dry_gethostbyaddr);
}

/* ---- getaddrinfo and getnameinfo ----------------------------------------------------------- */

/* The port as text: int, str, bytes or None. *text is NULL for None. */
static int take_port(PyObject *object, PyObject **kept, const char **text)
{
    *kept = NULL;
    *text = NULL;
    if (object == Py_None) {
        return 0;
    }
    if (PyLong_CheckExact(object)) {
        long number = PyLong_AsLong(object);
        if (number == -1 && PyErr_Occurred()) {
            return -1;
        }
        *kept = PyUnicode_FromFormat("%ld", number);
        *text = *kept ? PyUnicode_AsUTF8(*kept) : NULL;
    } else if (PyUnicode_Check(object)) {
        *kept = Py_NewRef(object);
        *text = PyUnicode_AsUTF8(object);
    } else if (PyBytes_Check(object)) {
        *kept = Py_NewRef(object);
        *text = PyBytes_AS_STRING(object);
    } else {
        PyErr_SetString(PyExc_OSError, "Int or String expected");
    }
    if (*text) {
        return 0;
    }
    Py_CLEAR(*kept);
    return -1;
}

static PyObject *give_addrinfo(const struct dry_addrinfo *list, size_t count)
{
    PyObject *result = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; result && i < count; i++) {
        PyObject *address = address_give(&list[i].address);
        PyObject *entry = address ? Py_BuildValue("iiisN", list[i].family, list[i].type,
                                                  list[i].protocol, list[i].canonname, address)
                                  : NULL;
        if (!entry) {
            Py_CLEAR(result);
        } else {
            PyList_SET_ITEM(result, (Py_ssize_t)i, entry);
        }
    }
    return result;
}

static PyObject *function_getaddrinfo(PyObject *module, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"host", "port", "family", "type", "proto", "flags", NULL};
    PyObject *host, *port, *kept_host = NULL, *kept_port = NULL, *result = NULL;
    const char *host_text = NULL, *port_text;
    struct dry_addrinfo *list = NULL;
    size_t count = 0;
    int family = AF_UNSPEC, type = 0, protocol = 0, flags = 0, status = -1;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|iiii:getaddrinfo", names, &host, &port,
                                     &family, &type, &protocol, &flags)) {
        return NULL;
    }
    if (host != Py_None) {
        host_text = take_host(host, &kept_host, "getaddrinfo() argument 1 must be string or None");
        if (!host_text) {
            return NULL;
        }
    }
    if (take_port(port, &kept_port, &port_text) == 0 &&
        PySys_Audit("socket.getaddrinfo", "OOiii", host, port, family, type, protocol) == 0) {
        BEGIN_LIBRARY_CALL
        dry_set_host_bytes(true); /* Python's own codec has been there */
        status = dry_getaddrinfo(host_text, port_text, family, type, protocol, flags, &list, &count);
        END_LIBRARY_CALL
        result = status < 0 ? raise_last_error() : give_addrinfo(list, count);
        dry_freeaddrinfo(list);
    }
    Py_XDECREF(kept_host);
    Py_XDECREF(kept_port);
    return result;
}

static PyObject *function_getnameinfo(PyObject *module, PyObject *arguments)
{
    PyObject *object;
    struct dry_address address;
    struct python_value taken;
    char host[NI_MAXHOST], service[NI_MAXSERV];
    int flags, status;
    if (!PyArg_ParseTuple(arguments, "Oi:getnameinfo", &object, &flags) ||
        value_take(&taken, object) < 0) {
        return NULL;
    }
    if (PySys_Audit("socket.getnameinfo", "(O)", object) < 0) {
        value_free(&taken);
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_address_from_value(&address, AF_UNSPEC, SOCK_DGRAM, 0, &taken.value, "getnameinfo");
    if (status == 0) {
        status = dry_getnameinfo(&address, flags, host, sizeof(host), service, sizeof(service));
    }
    END_LIBRARY_CALL
    value_free(&taken);
    if (status < 0) {
        return raise_last_error();
    }
    return Py_BuildValue("Ns", PyUnicode_DecodeFSDefault(host), service);
}

/* ---- services, protocols, interfaces ------------------------------------------------------- */

static PyObject *function_getservbyname(PyObject *module, PyObject *arguments)
{
    const char *name, *protocol = NULL;
    int port;
    if (!PyArg_ParseTuple(arguments, "s|s:getservbyname", &name, &protocol) ||
        PySys_Audit("socket.getservbyname", "ss", name, protocol) < 0) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    port = dry_getservbyname(name, protocol);
    END_LIBRARY_CALL
    return port < 0 ? raise_last_error() : PyLong_FromLong(port);
}

static PyObject *function_getservbyport(PyObject *module, PyObject *arguments)
{
    const char *protocol = NULL;
    char name[1024];
    int port, status;
    if (!PyArg_ParseTuple(arguments, "i|s:getservbyport", &port, &protocol) ||
        PySys_Audit("socket.getservbyport", "is", port, protocol) < 0) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_getservbyport(port, protocol, name, sizeof(name));
    END_LIBRARY_CALL
    return status < 0 ? raise_last_error() : PyUnicode_FromString(name);
}

static PyObject *function_getprotobyname(PyObject *module, PyObject *arguments)
{
    const char *name;
    int number;
    if (!PyArg_ParseTuple(arguments, "s:getprotobyname", &name)) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    number = dry_getprotobyname(name);
    END_LIBRARY_CALL
    return number < 0 ? raise_last_error() : PyLong_FromLong(number);
}

static PyObject *function_if_nameindex(PyObject *module, PyObject *unused)
{
    struct if_nameindex *interfaces = dry_if_nameindex();
    if (!interfaces) {
        return raise_last_error();
    }
    PyObject *list = PyList_New(0);
    for (struct if_nameindex *at = interfaces; list && at->if_index; at++) {
        PyObject *entry = Py_BuildValue("IO&", at->if_index, PyUnicode_DecodeFSDefault, at->if_name);
        if (!entry || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    free(interfaces);
    return list;
}

static PyObject *function_if_nametoindex(PyObject *module, PyObject *arguments)
{
    PyObject *name;
    if (!PyArg_ParseTuple(arguments, "O&:if_nametoindex", PyUnicode_FSConverter, &name)) {
        return NULL;
    }
    int index = dry_if_nametoindex(PyBytes_AS_STRING(name));
    Py_DECREF(name);
    return index < 0 ? raise_last_error() : PyLong_FromLong(index);
}

static PyObject *function_if_indextoname(PyObject *module, PyObject *argument)
{
    char name[IF_NAMESIZE];
    int64_t index = PyLong_AsLongLong(argument);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return dry_if_indextoname(index, name) < 0 ? raise_last_error() : PyUnicode_DecodeFSDefault(name);
}

/* ---- numeric addresses and byte order ------------------------------------------------------ */

static PyObject *function_inet_aton(PyObject *module, PyObject *arguments)
{
    const char *text;
    uint8_t packed[4];
    if (!PyArg_ParseTuple(arguments, "s:inet_aton", &text)) {
        return NULL;
    }
    return dry_inet_aton(text, packed) < 0
               ? raise_last_error()
               : PyBytes_FromStringAndSize((const char *)packed, sizeof(packed));
}

static PyObject *function_inet_ntoa(PyObject *module, PyObject *arguments)
{
    Py_buffer packed;
    char text[DRY_INET_TEXT_BYTES];
    if (!PyArg_ParseTuple(arguments, "y*:inet_ntoa", &packed)) {
        return NULL;
    }
    int status = dry_inet_ntoa(packed.buf, (size_t)packed.len, text);
    PyBuffer_Release(&packed);
    return status < 0 ? raise_last_error() : PyUnicode_FromString(text);
}

static PyObject *function_inet_pton(PyObject *module, PyObject *arguments)
{
    int family;
    const char *text;
    uint8_t packed[16];
    if (!PyArg_ParseTuple(arguments, "is:inet_pton", &family, &text)) {
        return NULL;
    }
    int bytes = dry_inet_pton(family, text, packed);
    return bytes < 0 ? raise_last_error() : PyBytes_FromStringAndSize((const char *)packed, bytes);
}

static PyObject *function_inet_ntop(PyObject *module, PyObject *arguments)
{
    int family;
    Py_buffer packed;
    char text[DRY_INET_TEXT_BYTES];
    if (!PyArg_ParseTuple(arguments, "iy*:inet_ntop", &family, &packed)) {
        return NULL;
    }
    int status = dry_inet_ntop(family, packed.buf, (size_t)packed.len, text);
    PyBuffer_Release(&packed);
    return status < 0 ? raise_last_error() : PyUnicode_FromString(text);
}

static PyObject *give_swapped(int64_t swapped)
{
    return swapped < 0 ? raise_last_error() : PyLong_FromLongLong(swapped);
}

static PyObject *function_ntohs(PyObject *module, PyObject *arguments)
{
    int number;
    return PyArg_ParseTuple(arguments, "i:ntohs", &number) ? give_swapped(dry_ntohs(number)) : NULL;
}

static PyObject *function_htons(PyObject *module, PyObject *arguments)
{
    int number;
    return PyArg_ParseTuple(arguments, "i:htons", &number) ? give_swapped(dry_htons(number)) : NULL;
}

static PyObject *swap_long(PyObject *argument, int64_t (*swap)(int64_t))
{
    int overflow;
    if (!PyLong_Check(argument)) {
        return PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(argument)->tp_name);
    }
    int64_t number = PyLong_AsLongLongAndOverflow(argument, &overflow);
    return give_swapped(swap(overflow > 0 ? INT64_MAX : overflow < 0 ? -1 : number));
}

static PyObject *function_ntohl(PyObject *module, PyObject *argument)
{
    return swap_long(argument, dry_ntohl);
}

static PyObject *function_htonl(PyObject *module, PyObject *argument)
{
    return swap_long(argument, dry_htonl);
}

/* ---- descriptors, sizes, defaults ---------------------------------------------------------- */

static PyObject *raise_errno(int code)
{
    errno = code;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *function_close(PyObject *module, PyObject *argument)
{
    struct dry_caller caller = dry_current_caller();
    int fd = _PyLong_AsInt(argument);
    int status;
    if (fd == -1 && PyErr_Occurred()) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS status = caller.system->close(caller, fd);
    Py_END_ALLOW_THREADS if (status < 0 && status != -ECONNRESET) return raise_errno(-status);
    Py_RETURN_NONE;
}

static PyObject *function_dup(PyObject *module, PyObject *argument)
{
    struct dry_caller caller = dry_current_caller();
    int fd = _PyLong_AsInt(argument);
    if (fd == -1 && PyErr_Occurred()) {
        return NULL;
    }
    int copy = caller.system->fcntl(caller, fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? raise_errno(-copy) : PyLong_FromLong(copy);
}

static PyObject *function_socketpair(PyObject *module, PyObject *arguments)
{
    int family = AF_UNIX, type = SOCK_STREAM, protocol = 0, status;
    struct dry_socket *pair[2];
    if (!PyArg_ParseTuple(arguments, "|iii:socketpair", &family, &type, &protocol)) {
        return NULL;
    }
    BEGIN_LIBRARY_CALL
    status = dry_socketpair(family, type, protocol, pair);
    END_LIBRARY_CALL
    if (status < 0) {
        return raise_last_error();
    }
    PyObject *first = socket_wrap(pair[0]);
    PyObject *second = socket_wrap(pair[1]);
    if (first && second) {
        return Py_BuildValue("NN", first, second);
    }
    Py_XDECREF(first);
    Py_XDECREF(second);
    return NULL;
}

static PyObject *function_CMSG_LEN(PyObject *module, PyObject *arguments)
{
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "n:CMSG_LEN", &length)) {
        return NULL;
    }
    ssize_t total = dry_cmsg_len(length);
    return total < 0 ? raise_last_error() : PyLong_FromSsize_t(total);
}

static PyObject *function_CMSG_SPACE(PyObject *module, PyObject *arguments)
{
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "n:CMSG_SPACE", &length)) {
        return NULL;
    }
    ssize_t total = dry_cmsg_space(length);
    return total < 0 ? raise_last_error() : PyLong_FromSsize_t(total);
}

static PyObject *function_getdefaulttimeout(PyObject *module, PyObject *unused)
{
    return timeout_give(dry_getdefaulttimeout());
}

static PyObject *function_setdefaulttimeout(PyObject *module, PyObject *argument)
{
    int64_t timeout_ns;
    if (timeout_take(argument, &timeout_ns) < 0) {
        return NULL;
    }
    if (dry_setdefaulttimeout(timeout_ns) < 0) {
        return raise_last_error();
    }
    Py_RETURN_NONE;
}

#define FUNCTION(name, flags, help) {#name, (PyCFunction)(void (*)(void))function_##name, flags, help}

PyMethodDef name_functions[] = {
    FUNCTION(CMSG_LEN, METH_VARARGS, "CMSG_LEN(length) -> control message length"),
    FUNCTION(CMSG_SPACE, METH_VARARGS, "CMSG_SPACE(length) -> buffer size"),
    FUNCTION(close, METH_O, "close(descriptor)"),
    FUNCTION(dup, METH_O, "dup(descriptor) -> descriptor"),
    FUNCTION(getaddrinfo, METH_VARARGS | METH_KEYWORDS,
             "getaddrinfo(host, port[, family, type, proto, flags]) -> list of tuples"),
    FUNCTION(getdefaulttimeout, METH_NOARGS, "getdefaulttimeout() -> seconds or None"),
    FUNCTION(gethostbyaddr, METH_VARARGS, "gethostbyaddr(host) -> (name, aliases, addresses)"),
    FUNCTION(gethostbyname, METH_VARARGS, "gethostbyname(host) -> address"),
    FUNCTION(gethostbyname_ex, METH_VARARGS, "gethostbyname_ex(host) -> (name, aliases, addresses)"),
    FUNCTION(gethostname, METH_NOARGS, "gethostname() -> name"),
    FUNCTION(getnameinfo, METH_VARARGS, "getnameinfo(sockaddr, flags) -> (host, port)"),
    FUNCTION(getprotobyname, METH_VARARGS, "getprotobyname(name) -> int"),
    FUNCTION(getservbyname, METH_VARARGS, "getservbyname(name[, protocol]) -> port"),
    FUNCTION(getservbyport, METH_VARARGS, "getservbyport(port[, protocol]) -> name"),
    FUNCTION(htonl, METH_O, "htonl(integer) -> integer"),
    FUNCTION(htons, METH_VARARGS, "htons(integer) -> integer"),
    FUNCTION(if_indextoname, METH_O, "if_indextoname(index) -> name"),
    FUNCTION(if_nameindex, METH_NOARGS, "if_nameindex() -> list of (index, name)"),
    FUNCTION(if_nametoindex, METH_VARARGS, "if_nametoindex(name) -> index"),
    FUNCTION(inet_aton, METH_VARARGS, "inet_aton(text) -> bytes"),
    FUNCTION(inet_ntoa, METH_VARARGS, "inet_ntoa(packed) -> text"),
    FUNCTION(inet_ntop, METH_VARARGS, "inet_ntop(family, packed) -> text"),
    FUNCTION(inet_pton, METH_VARARGS, "inet_pton(family, text) -> bytes"),
    FUNCTION(ntohl, METH_O, "ntohl(integer) -> integer"),
    FUNCTION(ntohs, METH_VARARGS, "ntohs(integer) -> integer"),
    FUNCTION(setdefaulttimeout, METH_O, "setdefaulttimeout(seconds or None)"),
    FUNCTION(sethostname, METH_VARARGS, "sethostname(name)"),
    FUNCTION(socketpair, METH_VARARGS, "socketpair([family[, type[, proto]]]) -> pair"),
    {NULL, NULL, 0, NULL},
};
