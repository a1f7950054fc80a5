{{- define "gateway.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "gateway.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "gateway.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gateway.sharedLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: analysis-gateway
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "gateway.labels" -}}
{{ include "gateway.selector" . }}
app.kubernetes.io/component: gateway
{{ include "gateway.sharedLabels" . }}
{{- end -}}

{{- define "gateway.image" -}}
{{- $image := .image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .version $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "gateway.healthPort" -}}
{{- ternary "operations" "http" .Values.operations.enabled -}}
{{- end -}}

{{- define "gateway.healthScheme" -}}
{{- ternary "HTTPS" "HTTP" (and (not .Values.operations.enabled) (not (empty .Values.tls.existingSecret))) -}}
{{- end -}}

{{- define "gateway.hasSharedRedis" -}}
{{- if or .Values.redis.url .Values.redis.existingSecret .Values.valkey.enabled -}}yes{{- end -}}
{{- end -}}

{{- define "gateway.templateNamespaces" -}}
{{- if .Values.kubernetes.templates -}}
{{- toYaml .Values.kubernetes.templates -}}
{{- else -}}
{{- toYaml (list .Release.Namespace) -}}
{{- end -}}
{{- end -}}

{{- define "gateway.jobNamespaces" -}}
{{- $jobs := .Values.kubernetes.jobs -}}
{{- if and $jobs.namespaces $jobs.namespace -}}
{{- toYaml (list $jobs.namespace) -}}
{{- else -}}
{{- toYaml $jobs.namespaces -}}
{{- end -}}
{{- end -}}
