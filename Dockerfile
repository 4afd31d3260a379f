# The gateway in a container: not root, the net permission, its settings from H8S_* variables, and no file but
# those of /etc/h8s (configuration, certificates, keys).
FROM denoland/deno:2.9.6
LABEL org.opencontainers.image.title="h8s" \
      org.opencontainers.image.description="Event-gapped ingress: HTTP and WebSocket clients in, NATS messages out" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY deno.json deno.lock main.ts ./
COPY lib lib
RUN deno cache --frozen main.ts
# The image's user deno, as a number, so that Kubernetes can tell that it is not root.
USER 1993
ENV H8S_LISTEN=0.0.0.0:8080 \
    H8S_ADMIN=0.0.0.0:8081 \
    H8S_LOG_FORMAT=json \
    H8S_ACCESS_LOG=json
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["deno", "eval", "Deno.exit((await fetch('http://127.0.0.1:8081/healthz')).ok ? 0 : 1)"]
# The V8 flags: docs/performance.md.
ENTRYPOINT ["deno", "run", "--v8-flags=--no-allocation-site-pretenuring,--max-semi-space-size=8", "--no-prompt", "--allow-net", "--allow-env=H8S_*", "--allow-read=/etc/h8s", "--cached-only", "main.ts"]
