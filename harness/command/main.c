/* `drysock`: runs, compares, records and prints scenarios.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "help.h"
#include "language/suggest.h"

/* ---- the command line ----------------------------------------------------------------------- */

enum option_name {
    OPTION_ON = 256,
    OPTION_SEED,
    OPTION_SCHEDULE,
    OPTION_SEEDS,
    OPTION_JOBS,
    OPTION_SPEED,
    OPTION_PCAP,
    OPTION_FORMAT,
    OPTION_JUNIT,
    OPTION_STRICT,
    OPTION_HASH,
    OPTION_CHECK,
    OPTION_QUIET,
    OPTION_WRITE,
    OPTION_AGAINST,
    OPTION_FULL,
    OPTION_COLOUR,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"on", required_argument, NULL, OPTION_ON},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"schedule", required_argument, NULL, OPTION_SCHEDULE},
    {"seeds", required_argument, NULL, OPTION_SEEDS},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"speed", required_argument, NULL, OPTION_SPEED},
    {"pcap", required_argument, NULL, OPTION_PCAP},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"junit", required_argument, NULL, OPTION_JUNIT},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"hash", no_argument, NULL, OPTION_HASH},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"write", no_argument, NULL, OPTION_WRITE},
    {"against", required_argument, NULL, OPTION_AGAINST},
    {"full", no_argument, NULL, OPTION_FULL},
    {"color", required_argument, NULL, OPTION_COLOUR},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

static int wrong_value(const char *option, const char *value, const char *cure)
{
    fprintf(stderr, "drysock: --%s cannot be \"%s\": %s\n", option, value, cure);
    return -1;
}

static int take_number(const char *option, const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (end == text || *end != 0 || *text == '-' || errno != 0 || *number > most) {
        return wrong_value(option, text, "write a whole number that is not too large");
    }
    return 0;
}

static int take_count(const char *option, const char *text, uint32_t *count)
{
    uint64_t number;
    if (take_number(option, text, 100000, &number) != 0) {
        return -1;
    }
    if (number == 0) {
        return wrong_value(option, text, "write a number from 1 on");
    }
    *count = (uint32_t)number;
    return 0;
}

static int take_text_option(struct options *options, int name, const char *value)
{
    int format;
    switch (name) {
    case OPTION_ON:
        options->on_kernel = strcmp(value, "kernel") == 0;
        if (!options->on_kernel && strcmp(value, "sim") != 0) {
            return wrong_value("on", value, "write sim or kernel");
        }
        return 0;
    case OPTION_FORMAT:
        format = report_format_find(value);
        if (format < 0) {
            return wrong_value("format", value, "write text, tap, junit or json");
        }
        options->format = (enum report_format)format;
        return 0;
    case OPTION_AGAINST:
        if (strcmp(value, "kernel") != 0) {
            return wrong_value("against", value, "write kernel");
        }
        options->against = value;
        return 0;
    case OPTION_PCAP:
        options->capture = value;
        return 0;
    case OPTION_COLOUR:
        if (strcmp(value, "auto") != 0 && strcmp(value, "always") != 0 && strcmp(value, "never") != 0) {
            return wrong_value("color", value, "write auto, always or never");
        }
        options->colour = *value == 'n'                  ? REPORT_COLOUR_NEVER
                          : strcmp(value, "always") == 0 ? REPORT_COLOUR_ALWAYS
                                                         : REPORT_COLOUR_AUTO;
        return 0;
    default:
        options->junit = value;
        return 0;
    }
}

static int take_option(struct options *options, int name, const char *value)
{
    switch (name) {
    case OPTION_SEED:
        return take_number("seed", value, UINT64_MAX, &options->seed);
    case OPTION_SCHEDULE:
        return take_number("schedule", value, UINT64_MAX, &options->schedule);
    case OPTION_SEEDS:
        return take_count("seeds", value, &options->seeds);
    case OPTION_JOBS:
        return take_count("jobs", value, &options->jobs);
    case OPTION_SPEED:
        return take_count("speed", value, &options->speed);
    case OPTION_STRICT:
        options->strict = true;
        return 0;
    case OPTION_HASH:
        options->hash = true;
        return 0;
    case OPTION_CHECK:
        options->check = true;
        return 0;
    case OPTION_QUIET:
        options->quiet = true;
        return 0;
    case OPTION_WRITE:
        options->write = true;
        return 0;
    case OPTION_FULL:
        options->full = true;
        return 0;
    case OPTION_ON:
    case OPTION_PCAP:
    case OPTION_FORMAT:
    case OPTION_JUNIT:
    case OPTION_AGAINST:
    case OPTION_COLOUR:
        return take_text_option(options, name, value);
    default: /* getopt_long has said what is wrong */
        return -1;
    }
}

static int run_report(const struct options *options, struct files *files)
{
    return command_report(options);
}

/* Each command with the options that do something there. */
static const struct {
    const char *name;
    int (*run)(const struct options *options, struct files *files);
    const char *takes;
} commands[] = {
    {"run", command_run, " on seed schedule speed pcap format strict hash check quiet full color "},
    {"compare", command_compare,
     " seed schedule jobs speed pcap format junit strict check full color "},
    {"record", command_record, " on seed schedule "},
    {"sweep", command_sweep, " seed schedule seeds format strict "},
    {"shrink", command_shrink, " seed schedule strict write against "},
    {"print", command_print, " check write "},
    {"report", run_report, " format full color "},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* What an option would change nothing of is a mistake, and better told than passed over. */
static int refuse_useless(const struct options *options, const bool *given, const char *takes,
                          const char *command)
{
    for (size_t i = 0; long_options[i].name != NULL; i++) {
        char word[32];
        snprintf(word, sizeof word, " %s ", long_options[i].name);
        if (given[i] && strstr(takes, word) == NULL) {
            fprintf(stderr, "drysock: %s has no use for --%s\n", command, long_options[i].name);
            return -1;
        }
    }
    if (options->on_kernel && (options->hash || options->check || options->strict)) {
        fprintf(stderr, "drysock: --hash, --check and --strict are for runs in the world\n");
        return -1;
    }
    if (options->schedule != 0 && options->on_kernel) {
        fprintf(stderr, "drysock: --schedule is for runs in the world\n");
        return -1;
    }
    if (options->speed > 0 && strcmp(command, "run") == 0 && !options->on_kernel) {
        fprintf(stderr, "drysock: --speed is for runs on the kernel\n");
        return -1;
    }
    if (options->quiet && options->format != REPORT_TEXT) {
        fprintf(stderr, "drysock: --quiet is for --format text\n");
        return -1;
    }
    if (options->hash && (options->format != REPORT_TEXT || options->quiet)) {
        fprintf(stderr, "drysock: --hash prints one line of its own: leave out --format and --quiet\n");
        return -1;
    }
    return 0;
}

/* Results that nobody will read must not look like results. */
static int keep_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return status;
    }
    fprintf(stderr, "drysock: standard output cannot be written: %s\n",
            errno != 0 ? strerror(errno) : "an error");
    return EXIT_LOST;
}

static int run_command(const struct options *options, const bool *given, const char *name)
{
    struct files files = {0};
    int status = EXIT_WRONG;

    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0) {
            continue;
        }
        if (refuse_useless(options, given, commands[i].takes, name) != 0) {
            return EXIT_WRONG;
        }
        if (commands[i].run == run_report) {
            return command_report(options);
        }
        files_read(&files, options->names, options->name_count,
                   commands[i].run == command_print ? NULL : world_check);
        if (options->capture != NULL && files.count + files.wrong > 1) {
            fprintf(stderr, "drysock: --pcap writes one file: name one scenario\n");
        } else if (files.wrong == 0) {
            status = commands[i].run(options, &files);
        }
        files_free(&files);
        return status;
    }
    help_no_command(name);
    return EXIT_WRONG;
}

/* ---- wrong command lines -------------------------------------------------------------------- */

/* getopt has stopped at this word: an option that there is not, or one without its argument. */
static int wrong_option(const char *word)
{
    const char *given = word + strspn(word, "-");
    struct suggestion nearest = {.word = given, .length = strcspn(given, "=")};
    char question[SUGGEST_BYTES + 24], name[SUGGEST_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)nearest.length, given);
    const struct help_option *option = help_option(name);
    if (option != NULL && option->argument != NULL && given[nearest.length] == 0) {
        fprintf(stderr, "drysock: --%s needs its argument: --%s %s\n", name, name, option->argument);
        return EXIT_WRONG;
    }
    if (option != NULL) {
        fprintf(stderr, "drysock: --%s takes no argument\n", name);
        return EXIT_WRONG;
    }
    for (size_t i = 0; long_options[i].name != NULL; i++) {
        suggest_offer(&nearest, long_options[i].name);
    }
    fprintf(stderr, "drysock: there is no option \"%s\"%s: drysock --help lists them\n", word,
            suggest_question(&nearest, question));
    return EXIT_WRONG;
}

/* `drysock --help [COMMAND]`. */
static int help(char *const *words, int count)
{
    if (count > 0 && help_print(words[0]) != 0) {
        help_no_command(words[0]);
        return EXIT_WRONG;
    }
    return count > 0 ? EXIT_AGREE : help_print(NULL);
}

/* A command line that names too little. */
static int wrong_line(char **arguments, int count)
{
    if (count == optind) {
        fprintf(stderr, "drysock: name a command and what it works on: drysock --help lists them\n");
    } else if (!help_has_command(arguments[optind])) {
        help_no_command(arguments[optind]);
    } else {
        fprintf(stderr, "drysock: %s needs a FILE or a DIR: drysock --help %s\n", arguments[optind],
                arguments[optind]);
    }
    return EXIT_WRONG;
}

int main(int count, char **arguments)
{
    struct options options = {0};
    bool given[sizeof long_options / sizeof *long_options] = {0};
    int name, at = 0;
    bool wants_help = false;

    if (count > 1 && strcmp(arguments[1], "exec") == 0) {
        return command_exec(count - 1, arguments + 1);
    }
    opterr = 0; /* the sentences are ours */
    while ((name = getopt_long(count, arguments, "h", long_options, &at)) != -1) {
        if (name == OPTION_HELP || name == 'h') {
            wants_help = true;
            continue;
        }
        if (name == '?') {
            return wrong_option(arguments[optind - 1]);
        }
        if (name == OPTION_VERSION) {
            printf("drysock %s\n", DRY_VERSION);
            return keep_output(EXIT_AGREE);
        }
        if (take_option(&options, name, optarg) != 0) {
            return EXIT_WRONG;
        }
        given[at] = true;
    }
    if (wants_help) {
        return keep_output(help(arguments + optind, count - optind));
    }
    if (count - optind < 2) {
        return wrong_line(arguments, count);
    }
    options.look = report_look_of(stdout, options.colour, options.full);
    options.names = arguments + optind + 1;
    options.name_count = count - optind - 1;
    command_take_signals();
    return keep_output(run_command(&options, given, arguments[optind]));
}
