/* NETLINK_GENERIC: the controller, which tells families by name or number: its own is all there is.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "internal.h"
#include "socket/sockets.h"

enum {
    CONTROLLER_OPERATIONS = 2,
};
static const char controller[] = "nlctrl";

static void make_controller(uint32_t sequence, uint16_t flags, uint32_t port,
                            struct sim_netlink_message *message)
{
    static const struct {
        uint32_t command, flags;
    } operations[CONTROLLER_OPERATIONS] = {
        {CTRL_CMD_GETFAMILY, GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL},
        {CTRL_CMD_GETPOLICY, GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL}};
    const uint16_t number = GENL_ID_CTRL;
    struct genlmsghdr *body = sim_netlink_begin(message, GENL_ID_CTRL, flags, sequence, port,
                                                sizeof *body);
    body->cmd = CTRL_CMD_NEWFAMILY;
    body->version = 2;
    sim_netlink_put_text(message, CTRL_ATTR_FAMILY_NAME, controller);
    sim_netlink_put(message, CTRL_ATTR_FAMILY_ID, &number, sizeof number);
    sim_netlink_put_u32(message, CTRL_ATTR_VERSION, 2);
    sim_netlink_put_u32(message, CTRL_ATTR_HDRSIZE, 0);
    sim_netlink_put_u32(message, CTRL_ATTR_MAXATTR, 0);
    const uint32_t list = sim_netlink_nest(message, CTRL_ATTR_OPS);
    for (uint16_t i = 0; i < CONTROLLER_OPERATIONS; i++) {
        const uint32_t one = sim_netlink_nest(message, (uint16_t)(i + 1));
        sim_netlink_put_u32(message, CTRL_ATTR_OP_ID, operations[i].command);
        sim_netlink_put_u32(message, CTRL_ATTR_OP_FLAGS, operations[i].flags);
        sim_netlink_nest_end(message, one);
    }
    sim_netlink_nest_end(message, list);
    const uint32_t groups = sim_netlink_nest(message, CTRL_ATTR_MCAST_GROUPS);
    const uint32_t one = sim_netlink_nest(message, 1);
    sim_netlink_put_u32(message, CTRL_ATTR_MCAST_GRP_ID, GENL_ID_CTRL);
    sim_netlink_put_text(message, CTRL_ATTR_MCAST_GRP_NAME, "notify");
    sim_netlink_nest_end(message, one);
    sim_netlink_nest_end(message, groups);
}

bool sim_netlink_next_generic(const struct sim_world *world, struct sim_host_id host,
                              struct sim_netlink_dump *dump, uint32_t port,
                              struct sim_netlink_message *message)
{
    if (dump->at++ > 0) {
        return false;
    }
    make_controller(dump->sequence, NLM_F_MULTI, port, message);
    return true;
}

/* Is the family that the question names, by number or by name, the controller? */
static int names_controller(const struct sim_netlink_message *question)
{
    size_t length = 0;
    uint16_t number;
    const void *data = sim_netlink_attribute(question, sizeof(struct genlmsghdr), CTRL_ATTR_FAMILY_ID,
                                             &length);
    if (data != NULL && length >= sizeof number) {
        memcpy(&number, data, sizeof number);
        return number == GENL_ID_CTRL ? 0 : -ENOENT;
    }
    data = sim_netlink_attribute(question, sizeof(struct genlmsghdr), CTRL_ATTR_FAMILY_NAME, &length);
    if (data != NULL) {
        return length == sizeof controller && memcmp(data, controller, length) == 0 ? 0 : -ENOENT;
    }
    return -EINVAL;
}

int sim_netlink_generic(struct sim_world *world, struct sim_socket_id id,
                        const struct sim_netlink_message *question, struct sim_netlink_dump *dump)
{
    const struct nlmsghdr *head = (const void *)question->data;
    const struct genlmsghdr *body = sim_netlink_body(question, sizeof *body);
    if (head->nlmsg_type != GENL_ID_CTRL) {
        return -ENOENT;
    }
    if (body == NULL) {
        return -EINVAL;
    }
    if (body->cmd != CTRL_CMD_GETFAMILY) {
        return -EOPNOTSUPP;
    }
    if ((head->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
        dump->kind = SIM_NETLINK_DUMP_GENERIC;
        return 0;
    }
    const int result = names_controller(question);
    if (result < 0) {
        return result;
    }
    struct sim_netlink_message answer;
    make_controller(head->nlmsg_seq, 0, sim_netlink_of(world, id)->port, &answer);
    sim_netlink_answer(world, id, &answer);
    return 0;
}
