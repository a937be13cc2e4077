/* Converts between Python's objects and the library's values, addresses, timeouts and errors.
 * SPDX-License-Identifier: MIT */
#include "extension.h"

/* ---- errors -------------------------------------------------------------------------------- */

PyObject *socket_herror;
PyObject *socket_gaierror;

static PyObject *raise_pair(PyObject *type, const struct dry_error *error)
{
    PyObject *pair = Py_BuildValue("(is)", error->code, error->message);
    if (pair) {
        PyErr_SetObject(type, pair);
        Py_DECREF(pair);
    }
    return NULL;
}

static PyObject *value_exception(int code)
{
    switch (code) {
    case DRY_VALUE_TYPE:
        return PyExc_TypeError;
    case DRY_VALUE_OVERFLOW:
        return PyExc_OverflowError;
    case DRY_VALUE_UNICODE:
        return PyExc_UnicodeError;
    default:
        return PyExc_ValueError;
    }
}

PyObject *raise_last_error(void)
{
    const struct dry_error *error = dry_last_error();
    switch (error->kind) {
    case DRY_ERROR_INTERRUPTED: /* the handler's exception is set */
        return NULL;
    case DRY_ERROR_OS:
        if (error->code) {
            return raise_pair(PyExc_OSError, error);
        }
        PyErr_SetString(PyExc_OSError, error->message);
        return NULL;
    case DRY_ERROR_TIMEOUT:
        PyErr_SetString(PyExc_TimeoutError, error->message);
        return NULL;
    case DRY_ERROR_GAI:
        return raise_pair(socket_gaierror, error);
    case DRY_ERROR_HERROR:
        return raise_pair(socket_herror, error);
    case DRY_ERROR_VALUE:
        PyErr_SetString(value_exception(error->code), error->message);
        return NULL;
    case DRY_ERROR_UNSUPPORTED:
        return raise_pair(PyExc_OSError, error);
    case DRY_ERROR_NONE:
        break;
    }
    PyErr_SetString(PyExc_SystemError, "the library failed without saying why");
    return NULL;
}

PyObject *none_or_raise(int status)
{
    if (status < 0) {
        return raise_last_error();
    }
    Py_RETURN_NONE;
}

static int run_handlers(void *argument)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int raised = PyErr_CheckSignals();
    PyGILState_Release(state);
    return raised;
}

void begin_signals(void)
{
    dry_set_interrupt_check(run_handlers, NULL);
}

/* ---- values -------------------------------------------------------------------------------- */

static void keep(struct python_value *taken, PyObject *object)
{
    taken->kept[taken->kept_count++] = object;
}

/* The bytes of a str in the file system encoding; a lone surrogate goes on as it is, for the
 * library to refuse where it does. */
static int take_text(struct python_value *taken, PyObject *object, struct dry_value *value)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(object);
    if (!bytes) {
        if (value == &taken->value || !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            return -1;
        }
        PyErr_Clear();
        bytes = PyUnicode_AsEncodedString(object, "utf-8", "surrogatepass");
        if (!bytes) {
            return -1;
        }
    }
    keep(taken, bytes);
    value->kind = DRY_TEXT;
    value->bytes = PyBytes_AS_STRING(bytes);
    value->count = (uint32_t)PyBytes_GET_SIZE(bytes);
    return 0;
}

static int take_bytes(struct python_value *taken, PyObject *object, struct dry_value *value)
{
    PyObject *bytes = PyBytes_FromObject(object);
    if (!bytes) {
        return -1;
    }
    keep(taken, bytes);
    value->kind = DRY_BYTES;
    value->bytes = PyBytes_AS_STRING(bytes);
    value->count = (uint32_t)PyBytes_GET_SIZE(bytes);
    return 0;
}

static int take_integer(PyObject *object, struct dry_value *value)
{
    int overflow;
    PyObject *number = PyNumber_Index(object);
    if (!number) {
        return -1;
    }
    value->kind = DRY_INT;
    value->integer = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow) {
        static const char *const beyond[] = {"-9223372036854775809", "9223372036854775808"};
        value->integer = (int64_t)PyLong_AsUnsignedLongLongMask(number);
        value->bytes = beyond[overflow > 0];
        value->count = (uint32_t)strlen(value->bytes);
    }
    Py_DECREF(number);
    return PyErr_Occurred() ? -1 : 0;
}

static bool has_path(PyObject *object)
{
    return PyObject_HasAttrString((PyObject *)Py_TYPE(object), "__fspath__");
}

static int take_path(struct python_value *taken, PyObject *object, struct dry_value *value)
{
    PyObject *path = PyOS_FSPath(object);
    if (!path) {
        return -1;
    }
    int status = PyUnicode_Check(path) ? take_text(taken, path, value) : take_bytes(taken, path, value);
    Py_DECREF(path);
    return status;
}

/* One object that is no address of several parts. `buffers`: any buffer counts as bytes. */
static int take_one(struct python_value *taken, PyObject *object, struct dry_value *value, bool buffers,
                    bool paths)
{
    if (object == Py_None) {
        value->kind = DRY_NONE;
    } else if (PyBool_Check(object)) {
        value->kind = DRY_BOOL;
        value->integer = object == Py_True;
    } else if (PyUnicode_Check(object)) {
        return take_text(taken, object, value);
    } else if (PyBytes_Check(object) || PyByteArray_Check(object) ||
               (buffers && PyObject_CheckBuffer(object))) {
        return take_bytes(taken, object, value);
    } else if (PyFloat_Check(object)) {
        value->kind = DRY_FLOAT;
        value->real = PyFloat_AS_DOUBLE(object);
    } else if (PyIndex_Check(object)) {
        return take_integer(object, value);
    } else if (PyList_Check(object)) {
        value->kind = DRY_LIST;
    } else if (PyTuple_Check(object)) {
        value->kind = DRY_TUPLE;
    } else if (paths && has_path(object)) {
        return take_path(taken, object, value);
    } else {
        value->kind = DRY_OBJECT;
        value->bytes = Py_TYPE(object)->tp_name;
        value->count = (uint32_t)strlen(value->bytes);
    }
    return 0;
}

int value_take(struct python_value *taken, PyObject *object)
{
    Py_ssize_t count = PyTuple_Check(object) ? PyTuple_GET_SIZE(object) : 0;
    *taken = (struct python_value){0};
    taken->items = PyMem_Calloc((size_t)count + 1, sizeof(*taken->items));
    taken->kept = PyMem_Calloc((size_t)count + 1, sizeof(*taken->kept));
    if (!taken->items || !taken->kept) {
        value_free(taken);
        PyErr_NoMemory();
        return -1;
    }
    int status = take_one(taken, object, &taken->value, true, false);
    if (taken->value.kind == DRY_TUPLE) {
        taken->value.items = taken->items;
        taken->value.count = (uint32_t)count;
    }
    /* AF_PACKET's fifth element is any buffer; host names are bytes or bytearray only. */
    for (Py_ssize_t i = 0; status == 0 && i < count; i++) {
        status = take_one(taken, PyTuple_GET_ITEM(object, i), &taken->items[i], i == 4, i == 0);
    }
    if (status < 0) {
        value_free(taken);
    }
    return status;
}

void value_free(struct python_value *taken)
{
    for (Py_ssize_t i = 0; i < taken->kept_count; i++) {
        Py_DECREF(taken->kept[i]);
    }
    PyMem_Free(taken->kept);
    PyMem_Free(taken->items);
    *taken = (struct python_value){0};
}

static PyObject *value_give(const struct dry_value *value)
{
    PyObject *tuple;
    switch (value->kind) {
    case DRY_BOOL:
        return PyBool_FromLong(value->integer != 0);
    case DRY_INT:
        return value->count ? PyLong_FromUnsignedLongLong((uint64_t)value->integer)
                            : PyLong_FromLongLong(value->integer);
    case DRY_TEXT:
        return PyUnicode_DecodeFSDefaultAndSize(value->bytes, value->count);
    case DRY_BYTES:
        return PyBytes_FromStringAndSize(value->bytes, value->count);
    case DRY_TUPLE:
        tuple = PyTuple_New(value->count);
        for (uint32_t i = 0; tuple && i < value->count; i++) {
            PyObject *item = value_give(&value->items[i]);
            if (!item) {
                Py_CLEAR(tuple);
            } else {
                PyTuple_SET_ITEM(tuple, i, item);
            }
        }
        return tuple;
    default:
        Py_RETURN_NONE;
    }
}

/* ---- addresses ----------------------------------------------------------------------------- */

int address_take(struct dry_address *address, const struct socket_object *socket, PyObject *object,
                 const char *method)
{
    struct python_value taken;
    int status;
    if (value_take(&taken, object) < 0) {
        return -1;
    }
    BEGIN_LIBRARY_CALL
    status = dry_address_from_value(address, socket->family, socket->type, socket->protocol,
                                    &taken.value, method);
    END_LIBRARY_CALL
    value_free(&taken);
    if (status < 0) {
        raise_last_error();
    }
    return status;
}

PyObject *address_give(const struct dry_address *address)
{
    struct dry_value value, items[DRY_ADDRESS_VALUES];
    char text[DRY_ADDRESS_TEXT_BYTES];
    if (dry_address_to_value(address, &value, items, text) < 0) {
        return raise_last_error();
    }
    return value_give(&value);
}

/* ---- timeouts ------------------------------------------------------------------------------ */

int timeout_take(PyObject *object, int64_t *timeout_ns)
{
    _PyTime_t timeout;
    *timeout_ns = DRY_TIMEOUT_NONE;
    if (object == Py_None) {
        return 0;
    }
    if (_PyTime_FromSecondsObject(&timeout, object, _PyTime_ROUND_TIMEOUT) < 0) {
        return -1;
    }
    if (timeout < 0) {
        PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
        return -1;
    }
    if (_PyTime_AsMilliseconds(timeout, _PyTime_ROUND_TIMEOUT) > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "timeout doesn't fit into C timeval");
        return -1;
    }
    *timeout_ns = timeout;
    return 0;
}

PyObject *timeout_give(int64_t timeout_ns)
{
    if (timeout_ns < 0) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(_PyTime_AsSecondsDouble(timeout_ns));
}
