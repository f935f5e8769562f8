# the dependencies are a stage of their own, so that both builds share them
FROM node:22-alpine AS base
WORKDIR /app
COPY package.json package-lock.json ./

FROM base AS deps
RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci

FROM deps AS build
COPY --exclude=node_modules --exclude=*.md . .
ENV NODE_ENV=production
RUN npm run build

FROM base as release
COPY --from=deps /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD wget -qO- http://localhost:3000/health || exit 1
CMD ["node", "dist/server.js"]
