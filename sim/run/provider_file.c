/* The seam calls that touch the real system's files: sendfile, fstat, lseek.
 * SPDX-License-Identifier: MIT
 *
 * Numbers below a process's first descriptor are the real system's, so a program that sends a file
 * through a simulated socket opens it as it always did. */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/block.h"

#include "file/file.h"

enum { PIECE_BYTES = 65536 }; /* LINUX: sendfile goes through a pipe of 16 pages */

bool sim_provider_is_real(struct dry_caller caller, int fd)
{
    const struct sim *sim = caller.world;
    if (!sim || fd < 0 || sim_provider_refuses(caller)) {
        return false;
    }
    const struct sim_process *process = sim_process_at(sim->world,
                                                       (struct sim_process_id){caller.process});
    return (uint32_t)fd < process->first_descriptor;
}

/* What kind of file the world's descriptor names; 0: none. */
static uint32_t kind_of(struct dry_caller caller, int fd)
{
    const struct sim *sim = caller.world;
    if (sim_provider_refuses(caller)) {
        return 0;
    }
    const struct sim_file_id file = sim_descriptor_file(sim->world,
                                                        (struct sim_process_id){caller.process}, fd);
    return file.index ? sim_file_at(sim->world, file)->kind : 0;
}

/* What is between the two files passes through `piece`, PIECE_BYTES long. */
static ssize_t send_pieces(struct dry_caller caller, int out_fd, int in_fd, off_t *offset, size_t count,
                           char *piece)
{
    off_t at = offset ? *offset : lseek(in_fd, 0, SEEK_CUR);
    if (at < 0) {
        return offset ? -EINVAL : -errno;
    }
    size_t done = 0;
    while (done < count) {
        const size_t wanted = count - done < PIECE_BYTES ? count - done : PIECE_BYTES;
        const ssize_t got = pread(in_fd, piece, wanted, at);
        if (got < 0 && done == 0) {
            return errno == ESPIPE ? -EINVAL : -errno;
        }
        if (got <= 0) {
            break;
        }
        const ssize_t sent = caller.system->write(caller, out_fd, piece, (size_t)got);
        if (sent < 0 && done == 0) {
            return sent;
        }
        if (sent <= 0) {
            break;
        }
        done += (size_t)sent;
        at += sent;
        if (sent < got) {
            break;
        }
    }
    if (offset) {
        *offset = at;
    } else {
        lseek(in_fd, at, SEEK_SET);
    }
    return (ssize_t)done;
}

ssize_t sim_seam_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset, size_t count)
{
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    const uint32_t out_kind = kind_of(caller, out_fd);
    if (!sim_provider_is_real(caller, in_fd)) {
        return kind_of(caller, in_fd) ? -EINVAL : -EBADF; /* LINUX: a socket cannot be read so */
    }
    if (!out_kind) {
        return -EBADF;
    }
    if (out_kind != SIM_FILE_SOCKET && out_kind != SIM_FILE_PIPE_WRITE) {
        return -EINVAL;
    }
    char *piece = sim_take_memory(caller.world, PIECE_BYTES);
    if (!piece) {
        return -ENOMEM;
    }
    const ssize_t sent = send_pieces(caller, out_fd, in_fd, offset, count, piece);
    sim_give_memory(caller.world, piece);
    return sent;
}

int sim_seam_fstat(struct dry_caller caller, int fd, struct stat *status)
{
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    if (sim_provider_is_real(caller, fd)) {
        return fstat(fd, status) < 0 ? -errno : 0;
    }
    const uint32_t kind = kind_of(caller, fd);
    if (!kind) {
        return -EBADF;
    }
    const struct sim *sim = caller.world;
    const struct sim_file_id file = sim_descriptor_file(sim->world,
                                                        (struct sim_process_id){caller.process}, fd);
    const bool pipe = kind == SIM_FILE_PIPE_READ || kind == SIM_FILE_PIPE_WRITE;
    *status = (struct stat){
        .st_mode = kind == SIM_FILE_SOCKET ? S_IFSOCK | 0777
                   : pipe                  ? S_IFIFO | 0600
                                           : 0600,
        .st_ino = ((ino_t)kind << 32) + sim_file_at(sim->world, file)->object,
        .st_nlink = 1,
        .st_blksize = 4096,
    };
    return 0;
}

off_t sim_seam_lseek(struct dry_caller caller, int fd, off_t offset, int whence)
{
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    if (sim_provider_is_real(caller, fd)) {
        const off_t at = lseek(fd, offset, whence);
        return at < 0 ? -errno : at;
    }
    const uint32_t kind = kind_of(caller, fd);
    const bool stays = kind == SIM_FILE_EPOLL || kind == SIM_FILE_COUNTER || kind == SIM_FILE_TIMER;
    if (!kind) {
        return -EBADF;
    }
    if (whence < 0 || whence > SEEK_HOLE) {
        return -EINVAL;
    }
    return stays ? 0 : -ESPIPE; /* LINUX: noop_llseek: asked for anywhere, they stay at 0 */
}
