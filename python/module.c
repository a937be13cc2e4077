/* The module `_socket`: a drop-in for the interpreter's own, built on the socket library.
 * SPDX-License-Identifier: MIT */
#include "extension.h"

/* The names that this interpreter's own module has; made by python/names.py. The library has more
 * constants, but names of one number would be taken for each other by the enums of socket.py. */
extern const char *const constant_names[];

/* What _ssl imports as "_socket.CAPI", as CPython's socketmodule.h lays it out. */
static struct {
    PyTypeObject *socket_type;
    PyObject *error;
    PyObject *timeout_error;
} interface;

static int add_constants(PyObject *module)
{
    for (const char *const *name = constant_names; *name; name++) {
        int64_t value;
        const char *text = NULL;
        if (dry_constant_find(*name, &value) < 0 && !(text = dry_constant_text(*name))) {
            PyErr_Format(PyExc_SystemError, "the library has no constant %s", *name);
            return -1;
        }
        PyObject *object = text ? PyUnicode_FromString(text) : PyLong_FromLongLong(value);
        if (strcmp(*name, "has_ipv6") == 0) {
            Py_SETREF(object, PyBool_FromLong((long)value));
        }
        int status = PyModule_AddObjectRef(module, *name, object);
        Py_XDECREF(object);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_exceptions(PyObject *module)
{
    socket_herror = PyErr_NewException("socket.herror", PyExc_OSError, NULL);
    socket_gaierror = PyErr_NewException("socket.gaierror", PyExc_OSError, NULL);
    if (PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0 ||
        PyModule_AddObjectRef(module, "herror", socket_herror) < 0 ||
        PyModule_AddObjectRef(module, "gaierror", socket_gaierror) < 0 ||
        PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) < 0) {
        return -1;
    }
    return 0;
}

static int add_types(PyObject *module)
{
    if (PyType_Ready(&socket_type) < 0 ||
        PyModule_AddObjectRef(module, "SocketType", (PyObject *)&socket_type) < 0 ||
        PyModule_AddObjectRef(module, "socket", (PyObject *)&socket_type) < 0) {
        return -1;
    }
    interface.socket_type = &socket_type;
    interface.error = PyExc_OSError;
    interface.timeout_error = PyExc_TimeoutError;
    PyObject *capsule = PyCapsule_New(&interface, "_socket.CAPI", NULL);
    int status = PyModule_AddObjectRef(module, "CAPI", capsule);
    Py_XDECREF(capsule);
    return status;
}

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_socket",
    .m_doc = "Sockets, by drysock: the interface of the interpreter's own _socket.",
    .m_size = -1,
    .m_methods = name_functions,
};

PyMODINIT_FUNC PyInit__socket(void);

PyMODINIT_FUNC PyInit__socket(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && (add_exceptions(module) < 0 || add_types(module) < 0 || add_constants(module) < 0)) {
        Py_CLEAR(module);
    }
    return module;
}
