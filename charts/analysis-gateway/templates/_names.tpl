{{/* The name of the objects: one that a Service may have, and short enough for what is put behind it. */}}
{{- define "gateway.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $part := default .Chart.Name .Values.nameOverride -}}
{{- $name = ternary .Release.Name (printf "%s-%s" .Release.Name $part) (contains $part .Release.Name) -}}
{{- end -}}
{{- $name = regexReplaceAll "^([0-9])" $name "gw-${1}" | replace "." "-" -}}
{{- include "gateway.cut" (dict "name" $name "at" 52) -}}
{{- end -}}

{{- define "gateway.cut" -}}
{{- .name | trunc (int .at) | regexFind "^.*[^-]" -}}
{{- end -}}

{{/* The name of an object in a namespace, where there may be those of other releases: in one of others it says whose it is. */}}
{{- define "gateway.nameIn" -}}
{{- $name := include "gateway.fullname" .root -}}
{{- if ne .namespace .root.Release.Namespace -}}
{{- $name = printf "%s-%s" .root.Release.Namespace $name -}}
{{- end -}}
{{- if gt (len $name) (int .at) -}}
{{- $name = printf "%s-%s" (include "gateway.cut" (dict "name" $name "at" (sub .at 9))) (sha256sum $name | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* A StatefulSet puts a hash behind its name, and makes a label of both. */}}
{{- define "gateway.valkey" -}}
{{- include "gateway.cut" (dict "name" (include "gateway.fullname" .) "at" 45) }}-valkey
{{- end -}}

{{- define "gateway.serviceAccount" -}}
{{- default (ternary (include "gateway.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The labels of a pod, each once: `more` goes before commonLabels, and what pods are selected by before all. */}}
{{- define "gateway.podLabels" -}}
{{- $whose := set (include "gateway.selector" .root | fromYaml) "app.kubernetes.io/component" .component -}}
{{- toYaml (mergeOverwrite dict (default dict .root.Values.commonLabels) (default dict .more) $whose) -}}
{{- end -}}

{{/* The labels of an object: those of a pod, and what it was made by. */}}
{{- define "gateway.labelsOf" -}}
{{- $made := dict
    "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
    "app.kubernetes.io/version" .root.Chart.AppVersion
    "app.kubernetes.io/managed-by" .root.Release.Service
    "app.kubernetes.io/part-of" "analysis-gateway" -}}
{{- toYaml (mergeOverwrite $made (include "gateway.podLabels" . | fromYaml)) -}}
{{- end -}}

{{- define "gateway.labels" -}}
{{- include "gateway.labelsOf" (dict "root" . "component" "gateway") -}}
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

{{/* Settings in a Secret may name a Redis that nobody sees here. */}}
{{- define "gateway.hasPrivateRedis" -}}
{{- if or .Values.state.existingClaim (not (or (include "gateway.hasSharedRedis" .) .Values.existingConfigSecret)) -}}yes{{- end -}}
{{- end -}}

{{- define "gateway.templateNamespaces" -}}
{{- if not .Values.kubernetes.readTemplates -}}
[]
{{- else if .Values.kubernetes.templates -}}
{{- toYaml .Values.kubernetes.templates -}}
{{- else -}}
{{- toYaml (list .Release.Namespace) -}}
{{- end -}}
{{- end -}}

{{/* Those in another cluster are none of this one's. */}}
{{- define "gateway.jobNamespaces" -}}
{{- $jobs := .Values.kubernetes.jobs -}}
{{- if not (has (include "gateway.setting" (dict "config" .Values.config "path" "kubernetes.jobs.connect")) (list "" "in-cluster")) -}}
[]
{{- else if and $jobs.namespaces $jobs.namespace -}}
{{- toYaml (list $jobs.namespace) -}}
{{- else -}}
{{- toYaml (default list $jobs.namespaces) -}}
{{- end -}}
{{- end -}}
