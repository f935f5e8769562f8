FROM --platform=$BUILDPLATFORM maven:3-eclipse-temurin-21 AS build
COPY pom.xml /src/
RUN --mount=type=cache,target=/root/.m2 mvn -f /src/pom.xml dependency:go-offline
COPY src /src/src
RUN --mount=type=cache,target=/root/.m2 mvn -f /src/pom.xml package -DskipTests

FROM eclipse-temurin:21-jre
COPY --from=build /src/target/app.jar /app.jar
ENTRYPOINT exec java $JAVA_OPTS -jar /app.jar
