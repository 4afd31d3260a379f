# The gateway in a container: net permission only, no root.
FROM denoland/deno:2.9.6
WORKDIR /app
COPY deno.json deno.lock main.ts ./
COPY lib lib
RUN deno cache --frozen main.ts
USER deno
EXPOSE 8080 8081
# The V8 flags: docs/performance.md.
ENTRYPOINT ["deno", "run", "--v8-flags=--no-allocation-site-pretenuring,--max-semi-space-size=8", "--no-prompt", "--allow-net", "--cached-only", "main.ts", "--log-format", "json", "--admin", "0.0.0.0:8081"]
