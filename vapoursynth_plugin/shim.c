/* The native part of vidcolor's VapourSynth plugin: what cannot be said in Python.
 *
 * It knows VapourSynth's API and nothing of colour. Every decision is made by the Python package
 * vsvidcolor; this file gives that package the two things it cannot make itself:
 *
 *   a plugin namespace    Propagate and Version import vsvidcolor on their first call and hand
 *                         over the arguments they got.
 *   filters in Python     Stage and Recurrence are filters whose frames a Python function makes.
 *                         Unlike std.ModifyFrame they run in parallel (Stage) or may ask for
 *                         more frames while they work (Recurrence).
 *
 * Python is called through VSFunction objects: the vapoursynth module makes them from Python
 * functions and takes care of the GIL, the environment and of nodes and frames as Python objects.
 * To get the first such function the shim must call Python itself. It looks the few functions of
 * CPython's stable ABI up in the running process, so that one binary serves every CPython, shared
 * or static, and also loads in a process without any. No Python object is kept.
 */

#define _GNU_SOURCE /* RTLD_DEFAULT */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN /* without the sockets, whose bind() is another */
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include "VapourSynth4.h"

#ifdef _MSC_VER /* of C11 it lacks this */
#define _Thread_local __declspec(thread)
#endif

#define MESSAGE_SIZE 1024

/* ---- CPython, looked up in the running process ---------------------------------------------- */

typedef struct PyObject PyObject;

typedef struct {
    int (*IsInitialized)(void);
    int (*EnsureGIL)(void);
    void (*ReleaseGIL)(int);
    PyObject *(*Import)(const char *name);
    PyObject *(*CallMethod)(PyObject *object, const char *name, const char *format, ...);
    void (*DecRef)(PyObject *object);
    PyObject *(*RaisedException)(void);
    PyObject *(*Str)(PyObject *object);
    const char *(*AsUTF8)(PyObject *text, intptr_t *size);
} Python;

static void *symbol(const char *name) {
#ifdef _WIN32
    HMODULE module = GetModuleHandleW(L"python3.dll"); /* the stable ABI, whatever the version */
    return module ? (void *)(uintptr_t)GetProcAddress(module, name) : NULL;
#else
    return dlsym(RTLD_DEFAULT, name);
#endif
}

static bool find(void *slot, const char *name) {
    void *address = symbol(name);
    *(void **)slot = address;
    return address != NULL;
}

/* False when no CPython >= 3.12 runs in this process. */
static bool findPython(Python *py) {
    return find(&py->IsInitialized, "Py_IsInitialized") &&
           find(&py->EnsureGIL, "PyGILState_Ensure") &&
           find(&py->ReleaseGIL, "PyGILState_Release") &&
           find(&py->Import, "PyImport_ImportModule") &&
           find(&py->CallMethod, "PyObject_CallMethod") &&
           find(&py->DecRef, "Py_DecRef") &&
           find(&py->RaisedException, "PyErr_GetRaisedException") &&
           find(&py->Str, "PyObject_Str") &&
           find(&py->AsUTF8, "PyUnicode_AsUTF8AndSize") &&
           py->IsInitialized();
}

/* Takes the pending exception away and writes it as `function: text`. */
static void describeException(const Python *py, const char *function, char *message) {
    PyObject *exception = py->RaisedException();
    PyObject *text = exception ? py->Str(exception) : NULL;
    const char *utf8 = text ? py->AsUTF8(text, NULL) : NULL;
    snprintf(message, MESSAGE_SIZE, "%s: %s", function, utf8 ? utf8 : "unknown error in Python");
    if (text)
        py->DecRef(text);
    if (exception)
        py->DecRef(exception);
}

/* ---- Functions that Python answers ---------------------------------------------------------- */

/* What Bind was given, on its way to the delegate() that waits for it on the same thread. */
static _Thread_local VSFunction *bound;

static void VS_CC bind(const VSMap *in, VSMap *out, void *userData, VSCore *core,
                       const VSAPI *vsapi) {
    (void)out, (void)userData, (void)core;
    vsapi->freeFunction(bound);
    bound = vsapi->mapGetFunction(in, "func", 0, NULL);
}

/* Asks vsvidcolor.bind(name), which calls Bind with the function that answers `name`.
 * Returns it, or NULL with a message. */
static VSFunction *fetchFunction(const char *name, char *message) {
    Python py;
    if (!findPython(&py)) {
        snprintf(message, MESSAGE_SIZE, "%s: needs a process with CPython 3.12 or newer", name);
        return NULL;
    }
    int gil = py.EnsureGIL();
    PyObject *package = py.Import("vsvidcolor");
    PyObject *result = package ? py.CallMethod(package, "bind", "s", name) : NULL;
    if (result)
        py.DecRef(result);
    else
        describeException(&py, name, message);
    if (package)
        py.DecRef(package);
    py.ReleaseGIL(gil);

    VSFunction *function = bound;
    bound = NULL;
    if (result && !function)
        snprintf(message, MESSAGE_SIZE, "%s: vsvidcolor.bind did not call Bind", name);
    return function;
}

/* The error in what a Python function gave back, or NULL. Expected ones come as data named
 * `error`, because an exception's text is its whole traceback. The text lives in the map. */
static const char *errorOf(const VSMap *answer, const VSAPI *vsapi) {
    int unset;
    const char *exception = vsapi->mapGetError(answer);
    return exception ? exception : vsapi->mapGetData(answer, "error", 0, &unset);
}

/* A plugin function whose name is `userData` and whose body is in Python. */
static void VS_CC delegate(const VSMap *in, VSMap *out, void *userData, VSCore *core,
                           const VSAPI *vsapi) {
    (void)core;
    char message[MESSAGE_SIZE];
    VSFunction *function = fetchFunction(userData, message);
    if (!function) {
        vsapi->mapSetError(out, message);
        return;
    }
    vsapi->callFunction(function, in, out);
    vsapi->freeFunction(function);
    const char *error = errorOf(out, vsapi);
    if (error) {
        snprintf(message, MESSAGE_SIZE, "%s", error);
        vsapi->clearMap(out);
        vsapi->mapSetError(out, message);
    }
}

/* ---- Filters whose frames Python makes ------------------------------------------------------ */

#define MAX_CLIPS 8
#define MAX_INPUTS 64 /* vsvidcolor.request has the same number */

typedef struct {
    VSNode *clips[MAX_CLIPS];
    int numClips;
    int given; /* how many of the clips, the first ones, give their frame n to every request */
    VSFunction *func;
} Filter;

/* One request for one output frame. Its address is the token Python knows it by. */
typedef struct {
    int64_t need[2 * MAX_INPUTS]; /* what Python's last answer asked for: clip, frame, ... */
    int numNeed;
} Request;

static void VS_CC freeFilter(void *instanceData, VSCore *core, const VSAPI *vsapi) {
    (void)core;
    Filter *filter = instanceData;
    for (int i = 0; i < filter->numClips; i++)
        vsapi->freeNode(filter->clips[i]);
    vsapi->freeFunction(filter->func);
    free(filter);
}

/* func(n, token), and if ready: frames = frame n of each clip that gives it; need and fetched =
 * what it asked for last time and these frames. */
static VSMap *askPython(const Filter *filter, const Request *request, int n, bool ready,
                        VSFrameContext *context, const VSAPI *vsapi) {
    VSMap *in = vsapi->createMap();
    VSMap *out = vsapi->createMap();
    vsapi->mapSetInt(in, "n", n, maReplace);
    vsapi->mapSetInt(in, "token", (intptr_t)request, maReplace);
    for (int i = 0; ready && i < filter->given; i++) {
        const VSFrame *frame = vsapi->getFrameFilter(n, filter->clips[i], context);
        vsapi->mapConsumeFrame(in, "frames", frame, maAppend);
    }
    if (ready && request->numNeed > 0)
        vsapi->mapSetIntArray(in, "need", request->need, 2 * request->numNeed);
    for (int i = 0; ready && i < request->numNeed; i++) {
        VSNode *clip = filter->clips[request->need[2 * i]];
        const VSFrame *frame = vsapi->getFrameFilter((int)request->need[2 * i + 1], clip, context);
        vsapi->mapConsumeFrame(in, "fetched", frame, maAppend);
    }
    vsapi->callFunction(filter->func, in, out);
    vsapi->freeMap(in);
    return out;
}

/* Copies what the answer needs into the request and checks it: false, with a message, when it is
 * not pairs of a clip's place and a frame's number, or more of them than a request holds. */
static bool readNeed(const Filter *filter, Request *request, const VSMap *answer, char *message,
                     const VSAPI *vsapi) {
    int unset;
    int count = vsapi->mapNumElements(answer, "need");
    const int64_t *need = vsapi->mapGetIntArray(answer, "need", &unset);
    request->numNeed = 0;
    if (count <= 0)
        return true;
    if (count > 2 * MAX_INPUTS) {
        snprintf(message, MESSAGE_SIZE, "vsvidcolor: need holds %d frames, accepted are up to %d",
                 count / 2, MAX_INPUTS);
        return false;
    }
    bool isValid = need && count % 2 == 0;
    for (int i = 0; isValid && i < count; i += 2)
        isValid = need[i] >= 0 && need[i] < filter->numClips && need[i + 1] >= 0 &&
                  need[i + 1] < INT32_MAX;
    if (!isValid) {
        snprintf(message, MESSAGE_SIZE,
                 "vsvidcolor: need is not pairs of a clip's place, 0 to %d, and a frame's number",
                 filter->numClips - 1);
        return false;
    }
    memcpy(request->need, need, (size_t)count * sizeof(int64_t));
    request->numNeed = count / 2;
    return true;
}

static void requestNeed(const Filter *filter, const Request *request, VSFrameContext *context,
                        const VSAPI *vsapi) {
    for (int i = 0; i < 2 * request->numNeed; i += 2)
        vsapi->requestFrameFilter((int)request->need[i + 1], filter->clips[request->need[i]],
                                  context);
}

/* Releases what was fetched, so that a long replay holds one answer's frames at a time. */
static void releaseNeed(const Filter *filter, const Request *request, int n,
                        VSFrameContext *context, const VSAPI *vsapi) {
    for (int i = 0; i < 2 * request->numNeed; i += 2) {
        if (request->need[i] >= filter->given || request->need[i + 1] != n)
            vsapi->releaseFrameEarly(filter->clips[request->need[i]], (int)request->need[i + 1],
                                     context);
    }
}

/* Python answers with one of
 *   need   up to MAX_INPUTS pairs of a clip's place and a frame's number: it is asked again with
 *          these frames
 *   val    the frame
 *   error  a sentence
 * and is told once more, without frames, when a request died of its input. */
static const VSFrame *VS_CC getFrame(int n, int reason, void *instanceData, void **frameData,
                                     VSFrameContext *context, VSCore *core, const VSAPI *vsapi) {
    (void)core;
    const Filter *filter = instanceData;
    if (reason == arInitial) {
        *frameData = calloc(1, sizeof(Request));
        for (int i = 0; i < filter->given; i++)
            vsapi->requestFrameFilter(n, filter->clips[i], context);
        return NULL;
    }

    Request *request = *frameData;
    bool ready = reason == arAllFramesReady;
    VSMap *answer = askPython(filter, request, n, ready, context, vsapi);
    const VSFrame *frame = NULL;
    const char *error = errorOf(answer, vsapi);
    char message[MESSAGE_SIZE];
    if (ready && !error) {
        releaseNeed(filter, request, n, context, vsapi);
        int unset;
        if (!readNeed(filter, request, answer, message, vsapi)) {
            error = message;
        } else if (request->numNeed > 0) {
            requestNeed(filter, request, context, vsapi);
            vsapi->freeMap(answer);
            return NULL;
        } else if (!(frame = vsapi->mapGetFrame(answer, "val", 0, &unset))) {
            error = "vsvidcolor: the function gave neither need, nor a frame as val, nor error";
        }
    }
    if (ready && error)
        vsapi->setFilterError(error, context);
    vsapi->freeMap(answer);
    free(request);
    *frameData = NULL;
    return frame;
}

/* Stage(clips, given, func, format, width, height), Recurrence(the same): frame n is made from
 * frame n of the first `given` clips (the last frame of a shorter one), and from what Python needs
 * of any of them. Length and rate are the first clip's. userData points to the filter mode. */
static void VS_CC createFilter(const VSMap *in, VSMap *out, void *userData, VSCore *core,
                               const VSAPI *vsapi) {
    int mode = *(const int *)userData;
    int numClips = vsapi->mapNumElements(in, "clips");
    VSVideoFormat format;
    int given = vsapi->mapGetIntSaturated(in, "given", 0, NULL);
    if (numClips > MAX_CLIPS || given < 1 || given > numClips) {
        vsapi->mapSetError(out, "vidcolor: \"clips\" may be up to 8, \"given\" 1 to all of them");
        return;
    }
    uint32_t id = (uint32_t)vsapi->mapGetInt(in, "format", 0, NULL);
    if (!vsapi->getVideoFormatByID(&format, id, core)) {
        vsapi->mapSetError(out, "vidcolor: \"format\" is not the id of a video format");
        return;
    }

    Filter *filter = calloc(1, sizeof(Filter));
    filter->numClips = numClips;
    filter->given = given;
    filter->func = vsapi->mapGetFunction(in, "func", 0, NULL);
    for (int i = 0; i < numClips; i++)
        filter->clips[i] = vsapi->mapGetNode(in, "clips", i, NULL);

    VSVideoInfo info = *vsapi->getVideoInfo(filter->clips[0]);
    info.format = format;
    info.width = vsapi->mapGetIntSaturated(in, "width", 0, NULL);
    info.height = vsapi->mapGetIntSaturated(in, "height", 0, NULL);

    VSFilterDependency dependencies[MAX_CLIPS];
    for (int i = 0; i < numClips; i++) {
        bool spatial = mode == fmParallel && i < given &&
                       vsapi->getVideoInfo(filter->clips[i])->numFrames >= info.numFrames;
        dependencies[i].source = filter->clips[i];
        dependencies[i].requestPattern = spatial ? rpStrictSpatial : rpGeneral;
    }
    vsapi->createVideoFilter(out, mode == fmParallel ? "Stage" : "Recurrence", &info, getFrame,
                             freeFilter, mode, dependencies, numClips, filter, core);
}

/* ---- Plugin --------------------------------------------------------------------------------- */

static char propagateName[] = "Propagate";
static char versionName[] = "Version";
static int stageMode = fmParallel;
static int recurrenceMode = fmParallelRequests;

VS_EXTERNAL_API(void) VapourSynthPluginInit2(VSPlugin *plugin, const VSPLUGINAPI *vspapi) {
    int version = VS_MAKE_VERSION(VIDCOLOR_VERSION_MAJOR, VIDCOLOR_VERSION_MINOR);
    vspapi->configPlugin("org.vidcolor.vidcolor", "vidcolor",
                         "Carries the colours of a key frame through a clip", version,
                         VAPOURSYNTH_API_VERSION, 0, plugin);
    vspapi->registerFunction("Propagate",
                             "clip:vnode;key:vnode:opt;frames:int[]:opt;alpha:vnode:opt;"
                             "direction:data:opt;scenes:int[]:opt;confidence:int:opt;"
                             "model:data:opt;size:int:opt;provider:data:opt;device_id:int:opt;"
                             "num_streams:int:opt;verbosity:int:opt;fp16:int:opt;"
                             "saturation:float[]:opt;hue:float[]:opt;checkpoint:int:opt;"
                             "references:vnode[]:opt;blend:vnode:opt;weight:float:opt;"
                             "ranges:int[]:opt;",
                             "clip:vnode[];", delegate, propagateName, plugin);
    vspapi->registerFunction("Version", "", "any", delegate, versionName, plugin);

    /* For vsvidcolor, not for scripts. */
    static const char arguments[] = "clips:vnode[];given:int;func:func;format:int;width:int;"
                                    "height:int;";
    vspapi->registerFunction("Bind", "func:func;", "", bind, NULL, plugin);
    vspapi->registerFunction("Stage", arguments, "clip:vnode;", createFilter, &stageMode, plugin);
    vspapi->registerFunction("Recurrence", arguments, "clip:vnode;", createFilter,
                             &recurrenceMode, plugin);
}
