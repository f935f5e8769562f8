import { Card, CardBody, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import { Title } from "@patternfly/react-core/dist/esm/components/Title";
import type { ReactNode } from "react";

/** A titled box of the Details tab. */
export function Section({
  title,
  testId,
  children,
}: {
  title: string;
  testId?: string;
  children: ReactNode;
}) {
  return (
    <Card isCompact className="qd-section" data-testid={testId}>
      <CardTitle>
        <Title headingLevel="h2" size="md">
          {title}
        </Title>
      </CardTitle>
      <CardBody>{children}</CardBody>
    </Card>
  );
}
