/* Many SSH devices in one process, so that the machine is left to the client: one thread a connection.
 *
 *   sshfarm LISTENING_FD HOSTKEY LOGIN_MS ANSWER_MS
 *
 * Says its greeting LOGIN_MS after the connection is there, takes any key, and answers every command, and every
 * line typed into a shell, after ANSWER_MS. Ends when its standard input does.
 */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int login_ms, answer_ms;
static const char *answer = "Simulated OS, version 1.2.3\n";

static void cork(ssh_session session, int on)
{
    setsockopt(ssh_get_fd(session), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static void *serve(void *argument)
{
    ssh_session session = argument;
    ssh_message message;
    ssh_channel channels[64] = {0};
    int inside = 0, used = 0;

    usleep(login_ms * 1000);
    if (ssh_handle_key_exchange(session) != SSH_OK)
        goto end;
    while ((message = ssh_message_get(session)) != NULL) {
        int type = ssh_message_type(message), kind = ssh_message_subtype(message);
        if (type == SSH_REQUEST_AUTH && kind == SSH_AUTH_METHOD_PUBLICKEY) {
            inside = ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_VALID;
            if (inside)
                ssh_message_auth_reply_success(message, 0);
            else
                ssh_message_auth_reply_pk_ok_simple(message);
        } else if (type == SSH_REQUEST_AUTH) {
            ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY);
            ssh_message_reply_default(message);
        } else if (inside && type == SSH_REQUEST_CHANNEL_OPEN && kind == SSH_CHANNEL_SESSION) {
            ssh_channel channel = ssh_message_channel_request_open_reply_accept(message);
            if (channels[used % 64])
                ssh_channel_free(channels[used % 64]);
            channels[used++ % 64] = channel;
        } else if (inside && type == SSH_REQUEST_CHANNEL && kind == SSH_CHANNEL_REQUEST_EXEC) {
            ssh_channel channel = ssh_message_channel_request_channel(message);
            ssh_message_channel_request_reply_success(message);
            usleep(answer_ms * 1000);
            cork(session, 1); /* OpenSSH sends these in one packet of TCP too */
            ssh_channel_write(channel, answer, strlen(answer));
            ssh_channel_request_send_exit_status(channel, 0);
            ssh_channel_send_eof(channel);
            ssh_channel_close(channel);
            cork(session, 0);
        } else if (inside && type == SSH_REQUEST_CHANNEL && kind == SSH_CHANNEL_REQUEST_PTY) {
            ssh_message_channel_request_reply_success(message);
        } else if (inside && type == SSH_REQUEST_CHANNEL && kind == SSH_CHANNEL_REQUEST_SHELL) {
            ssh_channel channel = ssh_message_channel_request_channel(message);
            char typed[256], prompt[] = "device#";
            int count, at = 0;
            char line[512];
            ssh_message_channel_request_reply_success(message);
            ssh_message_free(message);
            ssh_channel_write(channel, prompt, strlen(prompt));
            while ((count = ssh_channel_read(channel, typed, sizeof typed, 0)) > 0)
                for (int i = 0; i < count; i++) {
                    if (typed[i] != '\n' && at < 500) {
                        line[at++] = typed[i];
                        continue;
                    }
                    line[at] = 0;
                    at = 0;
                    if (!strncmp(line, "show", 4))
                        usleep(answer_ms * 1000);
                    ssh_channel_write(channel, line, strlen(line));
                    ssh_channel_write(channel, "\r\n", 2);
                    if (!strncmp(line, "show", 4))
                        ssh_channel_write(channel, answer, strlen(answer));
                    ssh_channel_write(channel, prompt, strlen(prompt));
                }
            break;
        } else {
            ssh_message_reply_default(message);
        }
        ssh_message_free(message);
    }
end:
    ssh_disconnect(session);
    ssh_free(session);
    return NULL;
}

static void *watch(void *unused)
{
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    exit(0);
    return unused;
}

int main(int count, char **words)
{
    pthread_attr_t attributes;
    pthread_t thread;
    ssh_bind bind = ssh_bind_new();

    if (count != 5)
        return 2;
    login_ms = atoi(words[3]);
    answer_ms = atoi(words[4]);
    ssh_init();
    ssh_bind_set_fd(bind, atoi(words[1]));
    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, words[2]);
    if (ssh_bind_listen(bind) < 0) {
        fprintf(stderr, "%s\n", ssh_get_error(bind));
        return 1;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_create(&thread, &attributes, watch, NULL);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        ssh_session session = ssh_new();
        if (ssh_bind_accept(bind, session) != SSH_OK) {
            ssh_free(session);
            continue;
        }
        int on = 1;
        setsockopt(ssh_get_fd(session), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, &attributes, serve, session))
            ssh_free(session);
    }
}
